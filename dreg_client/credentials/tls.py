"""TLS settings: trusted certificate authorities and client certificates.

A file named by an option or an environment variable must be readable. An unreadable file in `certs.d` is skipped with
a warning, because the administrator may have made it readable for root only.
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
from dreg_client.protocol.option_types import TLSSettings
from dreg_client.protocol.options import Options
from dreg_client.values.origin import Origin

_NO_FOLDER: Final = frozenset({ENOENT, ENOTDIR, ENAMETOOLONG, EINVAL})
"""Errors for a directory that does not exist, or cannot exist because of its name."""
_CERTIFICATES: Final = "certificates"
_CERTIFICATE_AND_KEY: Final = "a certificate and its key"


def tls_context(options: Options, origin: Origin, settings: TLSSettings | None) -> ssl.SSLContext:
    """Return the TLS context for an origin.

    Args:
        options: The options, whose `ca_file` and `certs_dirs` apply to all origins.
        origin: The origin.
        settings: The settings for this origin: the options for the registry, those of a `Mirror` for that one. None:
            it is another host, such as a token server. It gets no client certificate, and is always verified.
    """
    if options.ssl_context is not None:
        return options.ssl_context
    if origin.scheme == "http":  # never used, and loading the system's CA certificates takes longer than a request
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context = _default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if settings is not None and settings.insecure:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        warn_once(f"the certificate of {origin.authority} is not verified, because insecure is set")
    else:
        _load_authorities(context, options, origin, settings)
    if settings is not None:
        _load_client_certificates(context, options, origin, settings)
    context.set_alpn_protocols(["http/1.1"])
    return context


def has_own_context(options: Options, origin: Origin, settings: TLSSettings | None) -> bool:
    """Return whether the TLS context for an origin differs from that of hosts without settings (see `tls_context`)."""
    if options.ssl_context is not None:
        return False
    if settings is not None and (
        settings.insecure
        or settings.client_cert
        or settings.ca_file not in {None, options.ca_file}
        or _files(options, origin, ".cert")
    ):
        return True
    return bool(_files(options, origin, ".crt"))


def _default_context() -> ssl.SSLContext:
    """Return Python's default context. Creating it opens the file that SSLKEYLOGFILE names."""
    try:
        return ssl.create_default_context()
    except ssl.SSLError as failure:
        raise ConfigError(f"cannot set up TLS: {_reason(failure)}; check the file that OPENSSL_CONF names") from None
    except OSError as failure:
        reason = f"SSLKEYLOGFILE names a file that cannot be written: {_reason(failure)}"
        raise ConfigError(f"{reason}; change or unset the variable") from None


def _load_authorities(context: ssl.SSLContext, options: Options, origin: Origin, settings: TLSSettings | None) -> None:
    _check_default_authorities(context)
    for ca_file in dict.fromkeys((options.ca_file, settings.ca_file if settings else None)):
        if ca_file:
            _load(partial(context.load_verify_locations, ca_file), ca_file, _CERTIFICATES, is_named=True)
    for file in _files(options, origin, ".crt"):
        _load(partial(context.load_verify_locations, file), file, _CERTIFICATES, is_named=False)


def _check_default_authorities(context: ssl.SSLContext) -> None:
    """Reject variables that name nothing readable (OpenSSL ignores them), and use certifi if the system has no CAs."""
    named_file, named_folders = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
    if named_folders and all(_names_in(folder) is None for folder in named_folders.split(os.pathsep)):
        raise ConfigError("SSL_CERT_DIR names no readable directory; change or unset the variable")
    if context.cert_store_stats()["x509"]:
        return
    if named_file:
        _load(partial(context.load_verify_locations, named_file), "SSL_CERT_FILE", _CERTIFICATES, is_named=True)
    elif not (named_folders or _names_in(ssl.get_default_verify_paths().capath)):
        context.load_verify_locations(str(import_module("certifi").where()))  # installed with the HTTP library


def _names_in(folder: str | None) -> list[str] | None:
    """Return the names in a directory; None if it cannot be read."""
    try:
        return sorted(file.name for file in Path(folder).iterdir()) if folder else None
    except OSError:
        return None


def _load_client_certificates(context: ssl.SSLContext, options: Options, origin: Origin, settings: TLSSettings) -> None:
    if settings.client_cert:
        cert, key = settings.client_cert
        _load(partial(context.load_cert_chain, cert, key), cert, _CERTIFICATE_AND_KEY, is_named=True)
    for cert in _files(options, origin, ".cert"):
        key = cert.removesuffix(".cert") + ".key"
        _load(partial(context.load_cert_chain, cert, key), cert, _CERTIFICATE_AND_KEY, is_named=False)


def _load(load: Callable[[], None], file: str, content: str, *, is_named: bool) -> None:
    """Load a file; if it cannot be opened, warn and continue, or raise an error if the caller named it."""
    try:
        load()
    except (ssl.SSLError, ValueError) as failure:
        raise ConfigError(f"{file}: not a valid PEM file with {content} ({_reason(failure)})") from None
    except OSError as failure:
        if is_named:
            raise ConfigError(f"{file}: cannot read {content}: {_reason(failure)}; name another file") from None
        _warn_of(file, content, failure)


def _files(options: Options, origin: Origin, ending: str) -> list[str]:
    """Return the files in a registry's `certs.d` directories, in the order of docker and podman."""
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
    warn_once(f"{path}: cannot read {content}: {_reason(failure)}; continuing without it")


def _reason(failure: Exception) -> str:
    """Return why a file cannot be used. The text of the error itself could repeat the file's path or content."""
    reason = failure.reason if isinstance(failure, ssl.SSLError) else getattr(failure, "strerror", None)
    return (reason or type(failure).__name__).replace("_", " ").lower()
