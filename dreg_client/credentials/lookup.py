"""Look up credentials where docker and podman store them, in the same order."""

import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from threading import Lock
from typing import Final

from dreg_client._logging import log
from dreg_client.credentials import program as programs
from dreg_client.credentials.config_file import ConfigFile, server_of
from dreg_client.errors import ConfigError
from dreg_client.protocol.options import FoundCredential, RegistryOptions
from dreg_client.values.credential import Credential

_FILE_VARIABLE: Final = "REGISTRY_AUTH_FILE"
_FOLDER_VARIABLE: Final = "DOCKER_CONFIG"
_TEXT_VARIABLE: Final = "DOCKER_AUTH_CONFIG"


class Credentials:
    """Credentials from docker's and podman's configuration files, credential helpers and environment variables.

    Args:
        authfile: The only file to read (default: all files and variables that docker and podman use).
        environment: The environment variables (default: those of the process).

    Example:
        registry = Registry("https://registry.example", credentials=Credentials.default())
    """

    def __init__(
        self, authfile: str | os.PathLike[str] | None = None, *, environment: Mapping[str, str] | None = None
    ) -> None:
        self._authfile = authfile
        self._environment = os.environ if environment is None else environment
        self._by_helper: dict[tuple[str, str], Credential | None] = {}
        self._failed: dict[str, str] = {}
        self._locks: dict[int, Lock] = {}  # by process: in a forked child, a lock of the parent would stay locked

    @classmethod
    def default(cls) -> "Credentials":
        """Return the credentials that the command line uses."""
        return cls()

    def __repr__(self) -> str:
        return f"Credentials({str(self._authfile)!r})" if self._authfile else "Credentials()"

    def find(self, registry: str, repository: str = "") -> FoundCredential:
        """Find the credential for a registry, or for one of its repositories.

        Args:
            registry: The host, and the port if any; `docker.io` for Docker Hub.
            repository: The repository. Podman's files may have credentials for single repositories.

        Raises:
            ConfigError: A file is malformed or unsafe, or a file named by the caller or a variable does not exist.
            CredentialHelperError: A credential helper timed out, or printed invalid output.
            CredentialError: A credential helper returned the credential of another server.
        """
        faults: list[str] = []
        places: list[str] = []
        for file in self.files():
            for entry in file.namespace_entries(registry, repository):
                if credential := file.credential(entry):
                    return FoundCredential(credential)
            if credential := self._of_helper(file, registry, faults):
                return FoundCredential(credential)
            for entry in file.server_entries(registry):
                if credential := file.credential(entry):
                    return FoundCredential(credential)
            places.append(file.name)
            places += [f"{programs.PREFIX}{name}"] if (name := file.program_for(registry)) else []
        if not places:
            places = [f"{path} ({_absence(path)})" for path, _ in self.places()]
        return FoundCredential(None, tuple(faults), tuple(places))

    def _of_helper(self, file: ConfigFile, registry: str, faults: list[str]) -> Credential | None:
        name = file.program_for(registry)
        if name is None:
            return None
        key = name, server_of(registry)
        with self._locks.setdefault(
            os.getpid(), Lock()
        ):  # once per server and process, because a helper may prompt the user
            if key not in self._by_helper:
                try:
                    self._by_helper[key] = programs.get(*key)
                except programs.MissingProgramError as failure:
                    if self._failed.get(name) != str(failure):
                        log.warning("%s; continuing without a credential", failure)
                    self._failed[name], self._by_helper[key] = str(failure), None
        if name in self._failed:
            faults.append(self._failed[name])
        return self._by_helper[key]

    def files(self) -> Iterator[ConfigFile]:
        """Yield the files that exist, in order.

        Raises:
            ConfigError: A file is malformed or unsafe, or a file named by the caller or a variable does not exist.
        """
        if named := self.named_file():
            file = ConfigFile.read(named)
            if file is None:
                by = "authfile" if self._authfile else _FILE_VARIABLE
                raise ConfigError(f"{by} names {named}, which does not exist")
            yield file
            return
        if text := self._environment.get(_TEXT_VARIABLE):
            yield ConfigFile.of_text(text, _TEXT_VARIABLE)
        yield from filter(None, (self.read(path, bare=bare) for path, bare in self.places()))

    def read(self, path: Path, *, bare: bool = False) -> ConfigFile | None:
        """Read a file. If it cannot be read, skip it with a warning, unless a variable names it."""
        is_named = bool(self._environment.get(_FOLDER_VARIABLE)) and path == self.docker_file()
        return ConfigFile.read(path, bare=bare, optional=not is_named)

    def places(self) -> Iterator[tuple[Path, bool]]:
        """Yield the paths of files in order, and whether each is a bare map of entries (`.dockercfg`)."""
        home = self._home()
        config = home / ".config" if home else None
        runtime = config
        if sys.platform == "linux":
            runtime = Path(self._environment.get("XDG_RUNTIME_DIR") or f"/run/containers/{os.getuid()}")
        if named := self._environment.get("XDG_CONFIG_HOME"):
            config = Path(named)
        for folder in filter(None, (runtime, config)):
            yield folder / "containers" / "auth.json", False
        if docker := self.docker_file():
            yield docker, False
        if home is not None:
            yield home / ".dockercfg", True

    def docker_file(self) -> Path | None:
        """Return the path of docker's `config.json`."""
        if folder := self._environment.get(_FOLDER_VARIABLE):
            return Path(folder) / "config.json"
        home = self._home()
        return home / ".docker" / "config.json" if home else None

    def named_file(self) -> Path | None:
        """Return the only file to read, if the caller or a variable names one."""
        named = self._authfile or self._environment.get(_FILE_VARIABLE)
        return Path(named) if named else None

    def _home(self) -> Path | None:
        if named := self._environment.get("HOME"):
            return Path(named)
        if self._environment is not os.environ:
            return None
        try:
            return Path.home()
        except RuntimeError:  # the user has no entry in the user database
            return None


def _absence(path: Path) -> str:
    """Return why a file was not read."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return "does not exist"
    except OSError:
        pass
    return "cannot be read"


def with_defaults(options: RegistryOptions) -> RegistryOptions:
    """Return the options; by default, use the credentials and certificates of docker and podman."""
    given: RegistryOptions = {"certs_dirs": ("/etc/containers/certs.d", "/etc/docker/certs.d"), **options}
    if "credentials" not in options and options.get("auth_service") is None:
        given["credentials"] = Credentials.default()
    return given
