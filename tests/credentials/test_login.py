"""Logging in and out: what is written, and what is left alone."""

import errno
import json
import os
import stat
from pathlib import Path

import pytest

from dreg_client import Credential, Credentials, errors
from dreg_client.credentials import login
from tests.credentials.places import HUB, Helper, auth, docker, user


def test_writing_a_file_keeps_all_else_in_it(home: Path) -> None:
    path = docker(home, {"auths": {"other.example": auth("bob")}, "HttpHeaders": {"a": "b"}, "psFormat": "x"})
    real = path.rename(home / "real.json")
    path.symlink_to(real)

    assert login.keep(Credentials.default(), "reg.example", Credential("ada", "pässword")) == str(path)
    assert user("reg.example/x") == "ada"
    assert user("other.example/x") == "bob"
    written = json.loads(real.read_text())
    assert (written["HttpHeaders"], written["psFormat"]) == ({"a": "b"}, "x")
    assert path.is_symlink()
    assert stat.S_IMODE(real.stat().st_mode) == 0o600

    assert login.forget(Credentials.default(), "reg.example") == [str(path)]
    assert user("reg.example/x") is None
    assert json.loads(real.read_text())["auths"] == {"other.example": auth("bob")}
    assert login.forget(Credentials.default(), "reg.example") == []


def test_logging_in_by_a_helper_hands_it_the_secret_and_writes_none(home: Path, helper: Helper) -> None:
    path = docker(home, {"credsStore": "pass"})
    helper("pass", {"Username": "u", "Secret": "s"})

    assert login.keep(Credentials.default(), "docker.io", Credential("ada", "s3cr3t")) == "docker-credential-pass"
    assert json.loads((home / "asked-pass").read_text()) == {"ServerURL": HUB, "Username": "ada", "Secret": "s3cr3t"}
    assert json.loads(path.read_text())["auths"] == {HUB: {}}
    assert login.forget(Credentials.default(), "docker.io") == ["docker-credential-pass"]
    assert (home / "verbs").read_text().split()[-1] == "erase"


def test_aut_21_logging_in_by_a_helper_that_is_not_there_is_an_error(home: Path) -> None:
    before = docker(home, {"credsStore": "none-such"}).read_text()

    with pytest.raises(errors.CredentialHelperError, match="none-such"):
        login.keep(Credentials.default(), "reg.example", Credential("ada", "s"))
    with pytest.raises(errors.CredentialHelperError, match="none-such"):
        login.forget(Credentials.default(), "reg.example")
    assert (home / ".docker/config.json").read_text() == before


def test_aut_23_a_file_that_cannot_be_written_is_named_and_stays(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = docker(home, {"auths": {"other.example": auth("bob")}})
    before = path.read_text()

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(errors.ConfigError, match=r"config\.json: cannot be written: No space left on device"):
        login.keep(Credentials.default(), "reg.example", Credential("ada", "s"))
    assert path.read_text() == before
    assert [file.name for file in path.parent.iterdir()] == ["config.json"]


def test_aut_23_a_file_that_others_may_write_is_not_logged_in_to(home: Path) -> None:
    path = docker(home, {})
    path.chmod(0o606)

    with pytest.raises(errors.ConfigError, match=rf"{path}: .* chmod 600 {path}$"):
        login.keep(Credentials.default(), "reg.example", Credential("ada", "s"))
    assert path.read_text() == "{}"
