"""The options of a registry, with the credentials and certificates of docker and podman."""

from typing import Final

from dreg_client.credentials.lookup import Credentials
from dreg_client.protocol.options import RegistryOptions

_CERTS_DIRS: Final = ("/etc/containers/certs.d", "/etc/docker/certs.d")


def with_defaults(options: RegistryOptions) -> RegistryOptions:
    """Return the options, with docker's and podman's credentials and certificates unless they name others."""
    given: RegistryOptions = {"certs_dirs": _CERTS_DIRS, **options}
    if "credentials" not in options and options.get("auth_service") is None:
        given["credentials"] = Credentials.default()
    return given
