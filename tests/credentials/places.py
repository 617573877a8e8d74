"""Where credentials are kept, and what is found there."""

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dreg_client import Credential, Credentials

HUB = "https://index.docker.io/v1/"
Helper = Callable[..., None]


def auth(user: str = "ada", password: str = "secret") -> dict[str, str]:  # noqa: S107 (nobody's)
    return {"auth": base64.b64encode(f"{user}:{password}".encode()).decode()}


def write(path: Path, members: Any, mode: int = 0o600) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(members if isinstance(members, str) else json.dumps(members))
    path.chmod(mode)
    return path


def cannot_be_opened(path: Path) -> Path:
    """Make a link to itself, which root cannot open either."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(path.name)
    return path


def docker(home: Path, members: Any) -> Path:
    return write(home / ".docker/config.json", members)


def found(image: str, credentials: Credentials | None = None) -> Credential | None:
    registry, _, repository = image.partition("/")
    return (credentials or Credentials.default()).find(registry, repository).credential


def user(image: str) -> str | None:
    credential = found(image)
    return credential.username if credential else None
