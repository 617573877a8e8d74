"""A home folder of the tests' own, with files and programs in it that keep credentials."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder with nothing in it, and no other place that is looked into."""
    for name in ("REGISTRY_AUTH_FILE", "DOCKER_AUTH_CONFIG", "DOCKER_CONFIG", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    return tmp_path


@pytest.fixture
def helper(home: Path) -> Callable[..., None]:
    """Install a credential helper that answers so, and notes what it is asked."""

    def install(name: str, answer: dict[str, Any] | str = "", code: int = 0, script: str = "") -> None:
        path = home / "bin" / f"docker-credential-{name}"
        path.parent.mkdir(exist_ok=True)
        said = answer if isinstance(answer, str) else json.dumps(answer)
        lines = f"cat >> {home}/asked-{name}\necho >> {home}/asked-{name}\n" + (
            script or f"cat <<'END'\n{said}\nEND\nexit {code}"
        )
        path.write_text(f"#!/bin/sh\necho $1 >> {home}/verbs\n{lines}\n")
        path.chmod(0o755)

    return install
