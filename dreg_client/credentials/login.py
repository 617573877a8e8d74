"""Log in and out: write credentials as docker and podman do, and keep the rest of their files unchanged."""

import json
import os
from base64 import b64encode
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from dreg_client.credentials import program as programs
from dreg_client.credentials.config_file import ConfigFile, server_of
from dreg_client.credentials.lookup import Credentials
from dreg_client.credentials.member_texts import member_texts, object_text
from dreg_client.errors import ConfigError, CredentialError, FileError
from dreg_client.files.atomic import remove_parts, write_whole
from dreg_client.files.folder_lock import LockedError, folder_lock
from dreg_client.values.credential import Credential


def keep(credentials: Credentials, registry: str, credential: Credential) -> str:
    """Store a credential in the registry's helper, or else in a file; return the name of the helper or file."""
    path, entry = _file_to_write(credentials, registry), _entry(credential)
    with _changing(path):
        file = ConfigFile.read(path) or ConfigFile(str(path), {})
        program = file.program_for(registry)
        if program is None:
            _write(path, _with_entry(file, registry, entry))
            return str(path)
    programs.keep(program, server_of(registry), credential)  # it may ask the user, so others do not wait for it
    with _changing(path):
        file = ConfigFile.read(path) or ConfigFile(str(path), {})
        _write(path, _with_entry(file, registry, "{}"))
    return f"{programs.PREFIX}{program}"


def forget(credentials: Credentials, registry: str) -> list[str]:
    """Delete a registry's credentials from all files and helpers; return the names of those that had one."""
    gone: list[str] = []
    named = credentials.named_file()
    for path, bare in [(named, named.name == ".dockercfg")] if named else credentials.places():
        file = ConfigFile.read(path, bare=bare) if named else credentials.read(path, bare=bare)
        if file is None:
            continue
        has_entries = any(file.server_entries(registry))
        program = file.program_for(registry)
        if program is not None and (has_entries or _has(program, registry)):
            programs.forget(program, server_of(registry))
            gone.append(f"{programs.PREFIX}{program}")
        if has_entries:
            _remove(path, registry, bare=bare)
            gone += [str(path)] if program is None else []
    return gone


def _remove(path: Path, registry: str, *, bare: bool) -> None:
    """Remove all entries of a registry from a file, as it is now."""
    with _changing(path):
        file = ConfigFile.read(path, bare=bare)
        if file is not None:
            names = {entry.key for entry in file.server_entries(registry)}
            entries = {name: text for name, text in _entries(file, bare=bare).items() if name not in names}
            _write(path, object_text(entries, 0) if bare else _with_entries(file, entries))


def _has(program: str, registry: str) -> bool:
    try:
        return programs.get(program, server_of(registry)) is not None
    except programs.MissingProgramError:
        return True  # deleting then reports the error


def _file_to_write(credentials: Credentials, registry: str) -> Path:
    """Return the file that already has an entry for the registry, so that the new one is found; else docker's file."""
    if named := credentials.named_file():
        return named
    for path, bare in credentials.places():
        file = None if bare else credentials.read(path)
        if file is not None and any(file.server_entries(registry)):
            return path
    docker = credentials.docker_file()
    if docker is None:
        raise ConfigError("no home directory for credentials; name a file with --authfile, or set DOCKER_CONFIG")
    return docker


def _entry(credential: Credential) -> str:
    """Return the text of an entry."""
    if credential.identity_token is not None:
        return object_text({"identitytoken": json.dumps(credential.identity_token)}, 2)
    if not credential.username or not credential.password:
        raise CredentialError("a credential must have a user name and a password, or an identity token, none empty")
    auth = b64encode(f"{credential.username}:{credential.password}".encode()).decode()
    return object_text({"auth": json.dumps(auth)}, 2)


def _with_entry(file: ConfigFile, registry: str, entry: str) -> str:
    """Return the text of a file with the entry under its existing key, and without other entries for the registry."""
    known = [found.key for found in file.server_entries(registry)]
    key = known[0] if known else server_of(registry)
    kept = {name: text for name, text in _entries(file).items() if name not in known}
    return _with_entries(file, {**kept, key: entry})


def _entries(file: ConfigFile, *, bare: bool = False) -> dict[str, str]:
    """Return the texts of all entries."""
    if bare:
        return member_texts(file.text)
    return member_texts(member_texts(file.text)["auths"]) if file.auths else {}


def _with_entries(file: ConfigFile, entries: dict[str, str]) -> str:
    return object_text({**member_texts(file.text), "auths": object_text(entries, 1)}, 0)


@contextmanager
def _changing(path: Path) -> Generator[None, None, None]:
    """Let no other dreg change a file between reading and writing it, and remove what a killed one has left."""
    target = Path(os.path.realpath(path))
    try:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as failure:
        raise ConfigError(f"{target.parent}: cannot create the directory: {failure.strerror}") from None
    try:
        with folder_lock(target.parent) as is_locked:
            if is_locked:
                remove_parts(target)
            yield
    except LockedError:
        raise ConfigError(f"{target.parent}: another program has locked the directory; try again later") from None


def _write(path: Path, text: str) -> None:
    try:
        octets = f"{text}\n".encode(errors="surrogatepass")
        write_whole(str(path), [octets], mode=0o600)
    except FileError as failure:
        raise ConfigError(f"{failure}; the existing file was not changed") from failure.__cause__
