"""Log in and out: write credentials as docker and podman do, and keep the rest of their files unchanged."""

import json
import os
from base64 import b64encode
from pathlib import Path
from typing import Any, Final

from dreg_client.credentials import program as programs
from dreg_client.credentials.config_file import ConfigFile, server_of
from dreg_client.credentials.lookup import Credentials
from dreg_client.errors import ConfigError, CredentialError, FileError
from dreg_client.files.atomic import write_whole
from dreg_client.values.credential import Credential

HELPER: Final = "docker-credential-"
"""How the names of credential helpers begin."""


def keep(credentials: Credentials, registry: str, credential: Credential) -> str:
    """Store a credential in the registry's helper, or else in a file; return the name of the helper or file."""
    path = _file_to_write(credentials, registry)
    file = ConfigFile.read(path) or ConfigFile(str(path), {})
    program = file.program_for(registry)
    if program is None:
        _write(path, _with_entry(file, registry, _entry(credential)))
        return str(path)
    programs.keep(program, server_of(registry), credential)
    _write(path, _with_entry(file, registry, {}))
    return f"{HELPER}{program}"


def forget(credentials: Credentials, registry: str) -> list[str]:
    """Delete a registry's credentials from all files and helpers; return the names of those that had one."""
    gone: list[str] = []
    named = credentials.named_file()
    for path, bare in [(named, named.name == ".dockercfg")] if named else credentials.places():
        file = ConfigFile.read(path, bare=bare) if named else credentials.read(path, bare=bare)
        if file is None:
            continue
        keys = [entry.key for entry in file.server_entries(registry)]
        program = file.program_for(registry)
        if program is not None and (keys or _has(program, registry)):
            programs.forget(program, server_of(registry))
            gone.append(f"{HELPER}{program}")
        if keys:
            kept = {name: value for name, value in file.auths.items() if name not in keys}
            _write(path, kept if bare else {**file.members, "auths": kept})
            gone += [str(path)] if program is None else []
    return gone


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


def _entry(credential: Credential) -> dict[str, Any]:
    if credential.identity_token is not None:
        return {"identitytoken": credential.identity_token}
    if not credential.username or not credential.password:
        raise CredentialError("a credential must have a user name and a password, or an identity token, none empty")
    return {"auth": b64encode(f"{credential.username}:{credential.password}".encode()).decode()}


def _with_entry(file: ConfigFile, registry: str, entry: dict[str, Any]) -> dict[str, Any]:
    """Return the file with the entry under its existing key, and without other entries for the same registry."""
    known = [found.key for found in file.server_entries(registry)]
    key = known[0] if known else server_of(registry)
    kept = {name: value for name, value in file.auths.items() if name not in known}
    return {**file.members, "auths": {**kept, key: entry}}


def _write(path: Path, members: dict[str, Any]) -> None:
    target = Path(os.path.realpath(path))
    try:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as failure:
        raise ConfigError(f"{target.parent}: cannot create the directory: {failure.strerror}") from None
    try:
        write_whole(str(target), [json.dumps(members, indent="\t").encode() + b"\n"], mode=0o600)
    except FileError as failure:
        raise ConfigError(f"{failure}; the existing file was not changed") from failure.__cause__
