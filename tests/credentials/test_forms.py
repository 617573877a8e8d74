"""The forms that other tools give credentials, and read: lines in passwords, base64, helpers that have none."""

import base64
import json
import tempfile
from pathlib import Path
from typing import Any

import pytest

from dreg_client import Credential, Credentials, errors
from dreg_client.credentials import login
from tests.credentials.places import Helper, auth, docker, found, user

KEY = '{\n\t"type": "service_account",\n\t"private_key": "-----BEGIN PRIVATE KEY-----\\n"\n}\n'
"""What Google gives as a password of `_json_key`."""


def test_a_password_may_have_several_lines_in_a_file_a_helper_and_in_logging_in(home: Path, helper: Helper) -> None:
    docker(home, {"auths": {"file.example": auth("_json_key", KEY)}, "credHelpers": {"helper.example": "gcr"}})
    helper("gcr", script=f"cat <<'END'\n{json.dumps({'Username': '_json_key', 'Secret': KEY})}\nEND")
    login.keep(Credentials.default(), "new.example", Credential("_json_key", KEY))

    for name in ("file.example", "helper.example", "new.example"):
        credential = found(f"{name}/x")
        assert credential is not None
        assert base64.b64decode(credential.basic.removeprefix("Basic ")).decode() == f"_json_key:{KEY}"


LONG = base64.b64encode(f"ada:{'p' * 90}".encode()).decode()


@pytest.mark.parametrize(
    "value",
    [
        "\n".join(LONG[at : at + 76] for at in range(0, len(LONG), 76)),
        f"{LONG}\n",
        f"{LONG}\r\n",
        f" {LONG[:9]}\t{LONG[9:]}",
        LONG.rstrip("="),
        LONG.rstrip("=") + "\n",
    ],
)
def test_base64_is_read_with_line_breaks_and_without_padding(home: Path, value: str) -> None:
    assert LONG.endswith("=")
    docker(home, {"auths": {"reg.example": {"auth": value}}})

    credential = found("reg.example/x")
    assert credential is not None
    assert (credential.username, credential.password) == ("ada", "p" * 90)


@pytest.mark.parametrize("value", [LONG + "=", LONG[:-3], LONG[:40] + "=" + LONG[40:], LONG + LONG])
def test_base64_that_is_none_is_a_broken_entry(home: Path, value: str) -> None:
    docker(home, {"auths": {"reg.example": {"auth": value}}})

    assert found("reg.example/x") is None


@pytest.mark.parametrize("server", ["reg.example", "", "other.example"])
def test_a_helper_with_an_empty_user_and_secret_has_no_credential(
    home: Path, helper: Helper, caplog: pytest.LogCaptureFixture, server: str
) -> None:
    docker(home, {"credsStore": "empty", "auths": {"with.example": auth()}})
    helper("empty", {"ServerURL": server, "Username": "", "Secret": ""})

    looked_up = Credentials.default().find("reg.example")
    assert (looked_up.credential, looked_up.faults, caplog.messages) == (None, (), [])
    assert user("with.example/x") == "ada"


@pytest.mark.parametrize("answer", [{"Username": "", "Secret": None}, {"Username": None, "Secret": ""}, {"Secret": ""}])
def test_aut_19_a_helper_that_lacks_one_of_both_is_an_error(home: Path, helper: Helper, answer: dict[str, Any]) -> None:
    docker(home, {"credsStore": "odd"})
    helper("odd", answer)

    with pytest.raises(errors.CredentialHelperError, match="docker-credential-odd"):
        found("reg.example/x")


def test_a_helper_whose_output_has_no_place_names_the_variable(
    home: Path, helper: Helper, monkeypatch: pytest.MonkeyPatch
) -> None:
    docker(home, {"credsStore": "pass"})
    helper("pass", {"Username": "u", "Secret": "s"})
    monkeypatch.setattr(tempfile, "tempdir", str(home / "none"))

    with pytest.raises(errors.ConfigError, match="TMPDIR"):
        found("reg.example/x")
