"""TLS settings: trusted certificate authorities and client certificates. An unreadable file is always an error."""

import os
import ssl
from importlib import import_module
from pathlib import Path
from typing import Final

from dreg_client._logging import log
from dreg_client.errors import ConfigError
from dreg_client.protocol.options import Options
from dreg_client.values.origin import Origin

_warned: Final[set[str]] = set()


def tls_context(options: Options, origin: Origin, *, is_registry: bool) -> ssl.SSLContext:
    """Return the TLS context for an origin; `insecure` and the client certificate only apply to the registry itself."""
    if options.ssl_context is not None:
        return options.ssl_context
    if origin.scheme == "http":  # never used; loading the system's authorities takes longer than a request
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if is_registry and options.insecure:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        if str(origin) not in _warned:
            _warned.add(str(origin))
            log.warning("the certificate of %s is not checked, as insecure asks for", origin.authority)
    else:
        _load_authorities(context, options, origin)
    if is_registry:
        _load_client_certificates(context, options, origin)
    context.set_alpn_protocols(["http/1.1"])
    return context


def _load_authorities(context: ssl.SSLContext, options: Options, origin: Origin) -> None:
    folder = ssl.get_default_verify_paths().capath
    if not context.cert_store_stats()["x509_ca"] and not (folder and any(os.scandir(folder))):
        # A system without authorities: use those that come with the HTTP library.
        context.load_verify_locations(str(import_module("certifi").where()))
    for file in filter(None, [options.ca_file, *_files(options, origin, ".crt")]):
        try:
            context.load_verify_locations(file)
        except (OSError, ssl.SSLError) as failure:
            raise ConfigError(f"{file}: no file of certificates that can be read ({failure})") from None


def _load_client_certificates(context: ssl.SSLContext, options: Options, origin: Origin) -> None:
    pairs = [options.client_cert] if options.client_cert else []
    pairs += [(cert, cert.removesuffix(".cert") + ".key") for cert in _files(options, origin, ".cert")]
    for cert, key in pairs:
        try:
            context.load_cert_chain(cert, key)
        except (OSError, ssl.SSLError) as failure:
            raise ConfigError(f"{cert}: no certificate and key that can be read ({failure})") from None


def _files(options: Options, origin: Origin, ending: str) -> list[str]:
    """Return the files in a registry's `certs.d` folder, as docker and podman find them."""
    folders = (Path(folder) / origin.authority for folder in options.certs_dirs)
    return [file for folder in folders if folder.is_dir() for file in sorted(map(str, folder.glob(f"*{ending}")))]
