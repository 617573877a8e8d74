"""Credential files: docker's `config.json`, podman's `auth.json`, and the same text in environment variables."""

import json
import os
import re
import stat
from base64 import b64decode
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from shlex import quote
from typing import Any, Final, cast

from dreg_client._logging import warn_once
from dreg_client.errors import ConfigError, CredentialError
from dreg_client.values.credential import Credential
from dreg_client.values.docker_hub import DOCKER_HUB, HUB_NAMES, HUB_SERVER
from dreg_client.values.json_values import has_too_many_values
from dreg_client.values.sizes import MEBIBYTE

_LARGEST: Final = 8 * MEBIBYTE
_PROGRAM: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,63}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of a file. Its `repr` does not show the content."""

    key: str
    members: dict[str, Any] = field(repr=False)


@dataclass(frozen=True)
class ConfigFile:
    """A credential file: its path or the environment variable that contains its text, its members, and its text."""

    name: str
    members: dict[str, Any] = field(repr=False)
    text: str = field(repr=False, default="{}")

    def __post_init__(self) -> None:
        for member in ("auths", "credHelpers"):
            if not isinstance(self.members.get(member), dict | None):
                raise ConfigError(f"{self.name}: {member} must be an object; fix or remove it")
        if not isinstance(self.members.get("credsStore") or "", str):
            raise ConfigError(f"{self.name}: credsStore must be a string; fix or remove it")

    @classmethod
    def read(cls, path: Path, *, bare: bool = False, optional: bool = False) -> "ConfigFile | None":
        """Read a file; return None if it does not exist. A `bare` file has only the map of entries.

        If an `optional` file cannot be opened, it is skipped with a warning; otherwise, ConfigError is raised.
        """
        try:
            raw = _read(path)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except ValueError:  # a NUL, or a character that the file system cannot encode
            raise ConfigError(f"{str(path)!a} is not a valid path; name another file") from None
        except OSError as failure:
            reason = f"{_unreadable_part(path)}: cannot be read: {(failure.strerror or '').lower()}"
            if not optional:
                raise ConfigError(f"{reason}; make it readable, or name another file with --authfile") from None
            warn_once(f"{reason}; continuing without its credentials")
            return None
        members, text = _parsed(raw, str(path))
        return cls(str(path), {"auths": members} if bare else members, text)

    @classmethod
    def of_text(cls, text: str, name: str) -> "ConfigFile":
        """Parse the text of a credential file."""
        return cls(name, *_parsed(text.encode(errors="surrogateescape"), name))

    @property
    def auths(self) -> dict[str, Any]:
        """The entries, by server."""
        return cast("dict[str, Any]", self.members.get("auths") or {})

    def namespace_entries(self, registry: str, repository: str) -> Iterator[Entry]:
        """Yield podman's entries for a repository and the namespaces above it, the longest name first."""
        parts = repository.split("/") if repository else []
        for count in range(len(parts), 0, -1):
            key = "/".join((registry, *parts[:count]))
            yield from self._entry(key)

    def server_entries(self, registry: str) -> Iterator[Entry]:
        """Yield the entries for a registry: first by its name, then by other forms of its name."""
        yield from self._entry(registry)
        for key in self.auths:
            if key != registry and _is_key_of(key, registry):
                yield from self._entry(key)

    def _entry(self, key: str) -> Iterator[Entry]:
        members = self.auths.get(key)
        if isinstance(members, dict):
            yield Entry(key, cast("dict[str, Any]", members))
        elif members is not None:
            self._warn(key, "not an object")

    def program_for(self, registry: str) -> str | None:
        """Return the credential helper for a registry, else the one for all registries, else None."""
        own = cast("dict[str, Any]", self.members.get("credHelpers") or {})
        for name in (HUB_SERVER, *HUB_NAMES) if registry == DOCKER_HUB else (registry,):
            if name in own:
                return self._program(own[name], f"credHelpers.{name}")
        return self._program(store, "credsStore") if (store := self.members.get("credsStore")) else None

    def _program(self, name: object, member: str) -> str:
        if not isinstance(name, str) or _PROGRAM.fullmatch(name) is None:
            reason = f"{self.name}: {member} must be the name of a credential helper (letters, digits and . _ -)"
            raise ConfigError(f"{reason}; nothing was run")
        return name

    def credential(self, entry: Entry) -> Credential | None:
        """Return the credential of an entry; None if a helper stores it, or the entry is not valid."""
        names = ("auth", "username", "password", "identitytoken", "registrytoken")
        texts = {name: entry.members.get(name) or "" for name in names}
        wrong = [name for name, text in texts.items() if not isinstance(text, str)]
        if wrong:
            self._warn(entry.key, f"its member {wrong[0]!r} is not a string")
            return None
        try:
            return _credential(texts, f"{self.name}, {entry.key}")
        except CredentialError as failure:
            self._warn(entry.key, str(failure))
            return None

    def _warn(self, key: str, fault: str) -> None:
        warn_once(f"{self.name}: ignoring the entry {key!r}: {fault}")


def server_of(registry: str) -> str:
    """Return the name of a registry in credential files and helpers."""
    return HUB_SERVER if registry == DOCKER_HUB else registry


def _is_key_of(key: str, registry: str) -> bool:
    """Return whether the key of an entry names a registry, with or without a scheme and a path."""
    scheme, separator, rest = key.partition("://")
    host = rest.partition("/")[0] if separator and scheme in {"http", "https"} else key
    return host == registry or (registry == DOCKER_HUB and host in HUB_NAMES)


def _credential(texts: dict[str, str], source: str) -> Credential | None:
    if texts["registrytoken"]:
        return Credential(registry_token=texts["registrytoken"], source=source)
    if texts["identitytoken"]:
        return Credential(identity_token=texts["identitytoken"], source=source)
    if texts["auth"]:
        username, colon, password = _decoded(texts["auth"]).partition(":")
        if not colon or not username:
            raise CredentialError("its member 'auth' is not user:password in base64")
        return Credential(username, password.rstrip("\0"), source=source)  # some tools append NULs
    username, password = texts["username"], texts["password"]
    return Credential(username, password, source=source) if username and password else None


def _decoded(auth: str) -> str:
    """Decode base64 leniently, like docker and Kubernetes (line breaks, no padding); empty if it is not valid."""
    encoded = "".join(auth.split())
    with suppress(ValueError):
        return b64decode(encoded + "=" * (-len(encoded) % 4), validate=True).decode()
    return ""


def _read(path: Path) -> bytes:
    """Read a file. Another process may replace it at any time, so what was opened is checked again."""
    _check_permissions(path, path.stat())
    # Without O_NONBLOCK, opening a pipe would wait for a writer. It has no effect on regular files.
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    try:
        _check_permissions(path, os.fstat(descriptor))
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return file.read(_LARGEST + 1)
    finally:
        os.close(descriptor)


def _unreadable_part(path: Path) -> Path:
    """Return the directory above a path that denies access, such as another user's home; else the path itself."""
    for place in (path, *path.parents):
        with suppress(OSError):
            place.stat()
            return place
    return path


def _check_permissions(path: Path, found: os.stat_result) -> None:
    """Reject a file that other users can write, because they could have credentials sent to any server (D-14)."""
    if not stat.S_ISREG(found.st_mode):
        raise ConfigError(f"{path}: not a regular file; replace or remove it")
    if os.name == "nt":
        return
    if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise ConfigError(f"{path}: other users can write this file; to fix this, run: chmod 600 {quote(str(path))}")
    if found.st_mode & (stat.S_IRGRP | stat.S_IROTH):
        warn_once(f"{path}: other users can read this file; to fix this, run: chmod 600 {quote(str(path))}")


def _parsed(raw: bytes, name: str) -> tuple[dict[str, Any], str]:
    """Return the members of a file, and its text."""

    def keep_last(pairs: list[tuple[str, Any]]) -> dict[str, Any]:  # as docker does
        if len(once := dict(pairs)) < len(pairs):
            duplicate = Counter(key for key, _ in pairs).most_common(1)[0][0]
            warn_once(f"{name}: duplicate member {duplicate[:100]!r}; the last one is used")
        return once

    if len(raw) > _LARGEST:
        raise ConfigError(f"{name}: larger than {_LARGEST} bytes, so not a credential file; fix or remove it")
    if has_too_many_values(raw):
        raise ConfigError(f"{name}: too many values, so not a credential file; fix or remove it")
    try:
        raw = raw or b"{}"
        text = raw.decode(json.detect_encoding(raw))
        members = json.loads(text, object_pairs_hook=keep_last, parse_int=float)  # Python limits the digits of an int
    except json.JSONDecodeError as fault:
        reason = f"{name}: not valid JSON (line {fault.lineno}, column {fault.colno}); fix or remove it"
        raise ConfigError(reason) from None
    except (ValueError, RecursionError):
        raise ConfigError(f"{name}: not valid JSON in UTF-8; fix or remove it") from None
    if not isinstance(members, dict):
        raise ConfigError(f"{name}: not a JSON object; fix or remove it")
    return cast("dict[str, Any]", members), text
