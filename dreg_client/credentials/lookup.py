"""Look up credentials in the places of docker and podman, in their order."""

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from threading import Lock
from typing import Final

from dreg_client._logging import log
from dreg_client.credentials import program as programs
from dreg_client.credentials.config_file import ConfigFile, server_of
from dreg_client.errors import ConfigError
from dreg_client.protocol.options import FoundCredential
from dreg_client.values.credential import Credential

NAMED_BY: Final = "REGISTRY_AUTH_FILE"
_TEXT: Final = "DOCKER_AUTH_CONFIG"


class Credentials:
    """The places where credentials are looked up: files, helpers and environment variables, as in podman and docker.

    Args:
        authfile: The only file to read; None for all places.
        environment: The environment variables; None for those of the process.

    Example:
        registry = Registry("https://registry.example", credentials=Credentials.default())
    """

    def __init__(
        self, authfile: str | os.PathLike[str] | None = None, *, environment: Mapping[str, str] | None = None
    ) -> None:
        self._authfile = authfile
        self._environment = os.environ if environment is None else environment
        self._asked: dict[tuple[str, str], Credential | None] = {}
        self._failed: dict[str, str] = {}
        self._lock = Lock()

    @classmethod
    def default(cls) -> "Credentials":
        """Return the places that the command line uses."""
        return cls()

    def __repr__(self) -> str:
        return f"Credentials({str(self._authfile)!r})" if self._authfile else "Credentials()"

    def find(self, registry: str, repository: str = "") -> FoundCredential:
        """Return the credential for a registry, or for one of its repositories.

        Args:
            registry: The host, with the port if any; `docker.io` for Docker Hub.
            repository: The repository; podman's files may have credentials for single repositories.

        Raises:
            ConfigError: A file is broken or unsafe, or a named file does not exist.
            CredentialHelperError: A helper does not end, or prints invalid output.
            CredentialError: A helper returns the credential of another server.
        """
        faults: list[str] = []
        places: list[str] = []
        for file in self.files():
            for entry in file.namespace_entries(registry, repository):
                if credential := file.credential(entry):
                    return FoundCredential(credential)
            if credential := self._of_program(file, registry, faults):
                return FoundCredential(credential)
            for entry in file.server_entries(registry):
                if credential := file.credential(entry):
                    return FoundCredential(credential)
            places += file.places_for(registry)
        if not places:
            places = [f"{path} (not there)" for path, _ in self.places()]
        return FoundCredential(None, tuple(faults), tuple(places))

    def _of_program(self, file: ConfigFile, registry: str, faults: list[str]) -> Credential | None:
        name = file.program_for(registry)
        if name is None:
            return None
        key = name, server_of(registry)
        with self._lock:  # each server once per process, since a helper may prompt the user
            if key not in self._asked:
                self._asked[key] = self._ask(*key)
        if name in self._failed:
            faults.append(self._failed[name])
        return self._asked[key]

    def _ask(self, name: str, server: str) -> Credential | None:
        try:
            return programs.ask(name, server)
        except programs.MissingProgramError as failure:
            if self._failed.get(name) != str(failure):
                log.warning("%s; going on without a credential", failure)
            self._failed[name] = str(failure)
            return None

    def files(self) -> Iterator[ConfigFile]:
        """Yield the files that exist, in order.

        Raises:
            ConfigError: A file is broken or unsafe, or a named file does not exist.
        """
        named = self._authfile or self._environment.get(NAMED_BY)
        if named:
            yield self._named(Path(named), "authfile" if self._authfile else NAMED_BY)
            return
        if text := self._environment.get(_TEXT):
            yield ConfigFile.of_text(text, _TEXT)
        for path, bare in self.places():
            file = ConfigFile.read(path, bare=bare)
            if file is not None:
                yield file

    @staticmethod
    def _named(path: Path, by: str) -> ConfigFile:
        file = ConfigFile.read(path)
        if file is None:
            raise ConfigError(f"{path}: there is no such file, which {by} names")
        return file

    def places(self) -> Iterator[tuple[Path, bool]]:
        """Yield the paths of files in order, and whether each is a bare map of entries."""
        home = _home(self._environment)
        for path in (_runtime(self._environment, home), _config_home(self._environment, home)):
            if path is not None:
                yield path / "containers" / "auth.json", False
        if docker := self.docker_file():
            yield docker, False
        if home is not None:
            yield home / ".dockercfg", True

    def docker_file(self) -> Path | None:
        """Return the path of docker's own file."""
        home = _home(self._environment)
        if folder := self._environment.get("DOCKER_CONFIG"):
            return Path(folder) / "config.json"
        return home / ".docker" / "config.json" if home else None

    def named_file(self) -> Path | None:
        """Return the only file to read, if one was named."""
        named = self._authfile or self._environment.get(NAMED_BY)
        return Path(named) if named else None


def _home(environment: Mapping[str, str]) -> Path | None:
    if named := environment.get("HOME"):
        return Path(named)
    if environment is not os.environ:
        return None
    return _or_none(Path.home)


def _or_none(find: Callable[[], Path]) -> Path | None:
    try:
        return find()
    except RuntimeError:  # the user has no name
        return None


def _runtime(environment: Mapping[str, str], home: Path | None) -> Path | None:
    if sys.platform != "linux":
        return home / ".config" if home else None
    if named := environment.get("XDG_RUNTIME_DIR"):
        return Path(named)
    return Path("/run/containers").joinpath(str(os.getuid()))


def _config_home(environment: Mapping[str, str], home: Path | None) -> Path | None:
    if named := environment.get("XDG_CONFIG_HOME"):
        return Path(named)
    return home / ".config" if home else None
