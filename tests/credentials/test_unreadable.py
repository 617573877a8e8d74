"""Credential files that cannot be read: found by default, they are skipped with one warning; named, they are errors."""

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from dreg_client import Credential, Credentials, errors
from dreg_client.credentials import login
from tests.credentials.places import auth, cannot_be_opened, docker, found, user, write

NOBODY = 65_534


@pytest.fixture
def open_folder() -> Generator[Path]:
    """A folder that other users may look into, unlike pytest's own."""
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@contextmanager
def another_user(folder: Path) -> Generator[None]:
    """Be a user for whom a folder is closed; tests of root become another user for that."""
    folder.chmod(0)
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if is_root:
            os.seteuid(0)
        folder.chmod(0o700)


def test_the_home_of_another_user_is_one_warning(
    open_folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    theirs = open_folder / "theirs"
    docker(theirs, {"auths": {"reg.example": auth()}})
    for name in ("REGISTRY_AUTH_FILE", "DOCKER_AUTH_CONFIG", "DOCKER_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    for name in ("HOME", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(theirs))

    with another_user(theirs):
        looked_up = [Credentials.default().find("reg.example") for _ in range(2)]
    assert [it.credential for it in looked_up] == [None, None]
    [warning] = caplog.messages
    assert warning.startswith(f"{theirs}: cannot be read: permission denied")
    assert f"{theirs}/.docker/config.json (cannot be read)" in looked_up[0].places


@pytest.mark.parametrize("name", ["run/containers/auth.json", ".config/containers/auth.json", ".docker/config.json"])
def test_a_file_found_by_default_is_one_warning_and_the_next_one_counts(
    home: Path, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    closed = cannot_be_opened(home / name)
    write(home / ".dockercfg", {"reg.example": auth()})

    assert [user("reg.example/x"), user("reg.example/x")] == ["ada", "ada"]
    [warning] = caplog.messages
    assert "cannot be read" in warning
    assert str(closed.parent) in warning
    assert login.forget(Credentials.default(), "reg.example") == [str(home / ".dockercfg")]


@pytest.mark.parametrize("variable", ["REGISTRY_AUTH_FILE", "DOCKER_CONFIG", "authfile"])
def test_a_file_that_is_named_is_an_error(home: Path, monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    closed = cannot_be_opened(home / "named" / "config.json")
    if variable != "authfile":
        monkeypatch.setenv(variable, str(closed.parent if variable == "DOCKER_CONFIG" else closed))
    credentials = Credentials(closed if variable == "authfile" else None)

    for act in (
        lambda: found("reg.example/x", credentials),
        lambda: login.keep(credentials, "reg.example", Credential("ada", "s")),
        lambda: login.forget(credentials, "reg.example"),
    ):
        with pytest.raises(errors.ConfigError, match=rf"{home / 'named'}.* cannot be read: "):
            act()


def test_logging_in_to_a_file_that_cannot_be_read_is_an_error(home: Path) -> None:
    cannot_be_opened(home / ".docker/config.json")

    with pytest.raises(errors.ConfigError, match="cannot be read: "):
        login.keep(Credentials.default(), "reg.example", Credential("ada", "s"))
