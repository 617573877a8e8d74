"""The registries that ended a sync: those that cannot be reached, or that ask to wait for long."""

from copy import copy
from threading import Lock

from dreg_client import errors
from dreg_client.protocol.registry_url import RegistryURL
from dreg_client.values.origin import Origin
from dreg_client.values.registry_name import DOCKER, URLS


class LostRegistries:
    """Remembers which registries failed, so that not every repository waits for all its attempts again."""

    def __init__(self) -> None:
        self._failures: dict[str, errors.DregError] = {}
        self._lock = Lock()

    def add(self, failure: errors.DregError) -> None:
        """Remember the registry of a failure, if all its other repositories would fail for the same reason."""
        registry = _lost_by(failure)
        if registry:
            with self._lock:
                self._failures.setdefault(registry, failure)

    def check(self, *stores: str) -> None:
        """Raise the failure of a registry if one of some stores is a registry that failed, or one of its repositories.

        Examples:
            >>> lost = LostRegistries()
            >>> lost.add(errors.ConnectError("connection refused", "http://localhost:5000/v2/acme/web/tags/list"))
            >>> lost.check("localhost:5001/acme/web", "oci:build/mirror")
            >>> lost.check("localhost:5000/acme/old")
            Traceback (most recent call last):
            dreg_client.errors.registries.ConnectError: http://localhost:5000/v2/acme/web/tags/list: connection ...
        """
        for store in stores:
            name = f"{_plain(store)}/"
            for registry, failure in [*self._failures.items()]:
                if name.startswith(f"{registry}/"):
                    raised = copy(failure)
                    raised.add_outcome("this was not tried, because the registry had already failed")
                    raise raised


def _plain(name: str) -> str:
    for prefix in (DOCKER, *URLS):
        name = name.removeprefix(prefix)
    return name.rstrip("/")


def _lost_by(failure: errors.DregError) -> str:
    """Return the registry that a failure is about as a whole; empty if other repositories may be available."""
    if isinstance(failure, errors.RetryExhaustedError):
        return _lost_by(failure.last)
    if not isinstance(failure, errors.ConnectError | errors.TLSError | errors.RateLimitedError):
        return ""
    url = failure.where if "://" in failure.where else f"https://{failure.where}"
    try:
        return RegistryURL(Origin.of(url)).name
    except ValueError:  # the failure does not say where
        return ""
