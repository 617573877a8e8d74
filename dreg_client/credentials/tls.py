"""TLS settings: trusted certificate authorities and client certificates.

A file that an option or an environment variable names must be readable. One in `certs.d` that cannot be opened is
skipped with a warning, since its administrator may have made it readable for root alone.
"""

import os
import ssl
from collections.abc import Callable
from errno import EINVAL, ENAMETOOLONG, ENOENT, ENOTDIR
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Final

from dreg_client._logging import warn_once
from dreg_client.errors import ConfigError
from dreg_client.protocol.options import Options
from dreg_client.values.origin import Origin

_NO_FOLDER: Final = frozenset({ENOENT, ENOTDIR, ENAMETOOLONG, EINVAL})
"""The errors of a folder that does not exist, or cannot exist because of its name."""
_CERTIFICATES: Final = "certificates"
_CERTIFICATE_AND_KEY: Final = "a certificate and its key"


def tls_context(options: Options, origin: Origin, *, is_registry: bool) -> ssl.SSLContext:
    """Return the TLS context for an origin; `insecure` and the client certificate only apply to the registry itself."""
    if options.ssl_context is not None:
        return options.ssl_context
    if origin.scheme == "http":  # never used; loading the system's authorities takes longer than a request
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context = _default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if is_registry and options.insecure:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        warn_once(f"the certificate of {origin.authority} is not checked, as insecure asks for")
    else:
        _load_authorities(context, options, origin)
    if is_registry:
        _load_client_certificates(context, options, origin)
    context.set_alpn_protocols(["http/1.1"])
    return context


def _default_context() -> ssl.SSLContext:
    """Return Python's default context, which opens the file that SSLKEYLOGFILE names."""
    try:
        return ssl.create_default_context()
    except ssl.SSLError as failure:
        raise ConfigError(f"TLS cannot be set up: {_reason(failure)}; see what OPENSSL_CONF names") from None
    except OSError as failure:
        reason = f"SSLKEYLOGFILE names a file that cannot be written: {_reason(failure)}"
        raise ConfigError(f"{reason}; name another one, or unset the variable") from None


def _load_authorities(context: ssl.SSLContext, options: Options, origin: Origin) -> None:
    _check_default_authorities(context)
    if options.ca_file:
        _load(partial(context.load_verify_locations, options.ca_file), options.ca_file, _CERTIFICATES, is_named=True)
    for file in _files(options, origin, ".crt"):
        _load(partial(context.load_verify_locations, file), file, _CERTIFICATES, is_named=False)


def _check_default_authorities(context: ssl.SSLContext) -> None:
    """Reject variables that name nothing readable, which OpenSSL ignores; load authorities on a system without any."""
    named_file, named_folders = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
    if named_folders and all(_names_in(folder) is None for folder in named_folders.split(os.pathsep)):
        raise ConfigError("SSL_CERT_DIR names no folder that can be read; name another one, or unset the variable")
    if context.cert_store_stats()["x509"]:
        return
    if named_file:
        _load(partial(context.load_verify_locations, named_file), "SSL_CERT_FILE", _CERTIFICATES, is_named=True)
    elif not (named_folders or _names_in(ssl.get_default_verify_paths().capath)):
        context.load_verify_locations(str(import_module("certifi").where()))  # they come with the HTTP library


def _names_in(folder: str | None) -> list[str] | None:
    """Return the names in a folder, None if it cannot be read."""
    try:
        return sorted(file.name for file in Path(folder).iterdir()) if folder else None
    except OSError:
        return None


def _load_client_certificates(context: ssl.SSLContext, options: Options, origin: Origin) -> None:
    if options.client_cert:
        cert, key = options.client_cert
        _load(partial(context.load_cert_chain, cert, key), cert, _CERTIFICATE_AND_KEY, is_named=True)
    for cert in _files(options, origin, ".cert"):
        key = cert.removesuffix(".cert") + ".key"
        _load(partial(context.load_cert_chain, cert, key), cert, _CERTIFICATE_AND_KEY, is_named=False)


def _load(load: Callable[[], None], file: str, content: str, *, is_named: bool) -> None:
    """Load a file; if it cannot be opened, warn and continue, or raise an error if the caller named it."""
    try:
        load()
    except (ssl.SSLError, ValueError) as failure:
        raise ConfigError(f"{file}: not a PEM file of {content} ({_reason(failure)}); correct it") from None
    except OSError as failure:
        if is_named:
            raise ConfigError(f"{file}: {content} cannot be read: {_reason(failure)}; name another file") from None
        _warn_of(file, content, failure)


def _files(options: Options, origin: Origin, ending: str) -> list[str]:
    """Return the files in a registry's `certs.d` folders, as docker and podman find them."""
    found: list[str] = []
    for place in options.certs_dirs:
        folder = Path(place, origin.authority)
        try:
            found += sorted(str(file) for file in folder.iterdir() if file.name.endswith(ending))
        except OSError as failure:
            if failure.errno not in _NO_FOLDER:
                _warn_of(str(folder), _CERTIFICATES, failure)
    return found


def _warn_of(path: str, content: str, failure: OSError) -> None:
    warn_once(f"{path}: {content} cannot be read: {_reason(failure)}; continuing without")


def _reason(failure: Exception) -> str:
    """Return why a file cannot be used, without the path or content that the text of an error may repeat."""
    told = failure.reason if isinstance(failure, ssl.SSLError) else getattr(failure, "strerror", None)
    return (told or type(failure).__name__).replace("_", " ").lower()
