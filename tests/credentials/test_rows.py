"""The rows of the table of credentials: which of all places and entries is the one that counts."""

import base64
import json
import logging
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from dreg_client import Credential, Credentials, Registry, errors
from dreg_client.credentials import program
from tests.credentials.places import HUB, Helper, auth, docker, found, user, write


@pytest.mark.parametrize(
    ("row", "keys", "image", "expected"),
    [
        (1, ["ghcr.io"], "ghcr.io/acme/web", "ghcr.io"),
        (2, ["https://ghcr.io"], "ghcr.io/acme/web", "https://ghcr.io"),
        (3, ["https://reg.example/v1/", "http://reg.example:5000/v2/"], "reg.example/x", "https://reg.example/v1/"),
        (
            3,
            ["https://reg.example/v1/", "http://reg.example:5000/v2/"],
            "reg.example:5000/x",
            "http://reg.example:5000/v2/",
        ),
        (4, ["reg.example"], "reg.example:5000/x", None),
        (5, [HUB], "docker.io/library/ubuntu", HUB),
        (5, [HUB], "docker.io/acme/web", HUB),
        (6, ["docker.io"], "docker.io/library/ubuntu", "docker.io"),
        (7, ["quay.io", "quay.io/acme"], "quay.io/acme/web", "quay.io/acme"),
        (7, ["quay.io", "quay.io/acme"], "quay.io/acmes/web", "quay.io"),
        (8, ["quay.io/acme/web"], "quay.io/acme/web2", None),
    ],
)
def test_c_1_to_c_8_which_entry_names_a_repository(
    home: Path, row: int, keys: list[str], image: str, expected: str | None
) -> None:
    docker(home, {"auths": {key: auth(key.replace(":", "%")) for key in keys}})

    assert user(image) == (expected and expected.replace(":", "%")), f"row C-{row}"


def test_c_9_c_10_a_helper_comes_before_a_password(home: Path, helper: Helper) -> None:
    docker(home, {"credHelpers": {"gcr.io": "gcloud"}, "auths": {"gcr.io": auth()}})
    helper("gcloud", {"ServerURL": "gcr.io", "Username": "_token", "Secret": "s"})
    assert user("gcr.io/p/x") == "_token"

    helper("gcloud", "credentials not found in native keychain", 1)
    assert user("gcr.io/p/x") == "ada"


def test_c_11_an_empty_entry_only_says_that_the_store_has_it(home: Path, helper: Helper) -> None:
    docker(home, {"credsStore": "desktop", "auths": {"ghcr.io": {}}})
    helper("desktop", {"ServerURL": "ghcr.io", "Username": "store", "Secret": "s"})

    assert user("ghcr.io/a/b") == "store"


def test_c_12_the_store_knows_docker_hub_by_its_old_name(home: Path, helper: Helper) -> None:
    docker(home, {"credsStore": "pass"})
    helper("pass", {"Username": "hub", "Secret": "s"})

    assert user("docker.io/library/ubuntu") == "hub"
    assert (home / "asked-pass").read_text().strip() == HUB


def test_c_13_a_registry_s_own_helper_is_asked_alone(home: Path, helper: Helper) -> None:
    docker(home, {"credHelpers": {"gcr.io": "own"}, "credsStore": "all"})
    helper("own", {"Username": "own", "Secret": "s"})
    helper("all", {"Username": "all", "Secret": "s"})

    assert user("gcr.io/p/x") == "own"
    assert not (home / "asked-all").exists()


def test_c_14_c_15_a_helper_that_is_not_there_is_a_warning_and_a_reason(
    home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    docker(home, {"credsStore": "desktop"})
    credentials = Credentials.default()
    looked_up = [credentials.find("ghcr.io", "a/b") for _ in range(2)]

    assert [it.credential for it in looked_up] == [None, None]
    assert "cannot run docker-credential-desktop" in looked_up[0].faults[0]
    assert sum("docker-credential-desktop" in record.message for record in caplog.records) == 1


def test_c_15_a_registry_that_wants_to_know_who_we_are_names_the_helper_that_is_missing(home: Path) -> None:
    docker(home, {"credsStore": "desktop"})
    wants = httpx.MockTransport(lambda _: httpx.Response(401, headers={"WWW-Authenticate": "Basic"}))

    registry = Registry("https://ghcr.io", credentials=Credentials.default(), transport=wants)
    with registry, pytest.raises(errors.UnauthorizedError, match="cannot run docker-credential-desktop"):
        registry.repository("a/b").tags()


def test_c_16_a_helper_may_have_an_identity_token(home: Path, helper: Helper) -> None:
    docker(home, {"credsStore": "desktop"})
    helper("desktop", {"Username": "<token>", "Secret": "s3cret"})

    credential = found("x.azurecr.io/a")
    assert credential is not None
    assert (credential.identity_token, credential.username) == ("s3cret", "")


@pytest.mark.parametrize(
    ("row", "text", "pair"),
    [(17, b"u:p:q", ("u", "p:q")), (18, b"u:p\0", ("u", "p")), (24, "u:pä".encode(), ("u", "pä"))],
)
def test_c_17_c_18_user_and_password_are_cut_at_the_first_colon(
    home: Path, row: int, text: bytes, pair: tuple[str, str]
) -> None:
    docker(home, {"auths": {"reg.example": {"auth": base64.b64encode(text).decode()}}})

    credential = found("reg.example/x")
    assert credential is not None
    assert (credential.username, credential.password) == pair, f"row C-{row}"


@pytest.mark.parametrize("value", ["%%%", base64.b64encode(b"nocolon").decode(), base64.b64encode(b"\xff:x").decode()])
def test_c_19_aut_24_a_broken_entry_is_a_warning_without_its_text(
    home: Path, caplog: pytest.LogCaptureFixture, value: str
) -> None:
    write(home / "run/containers/auth.json", {"auths": {"reg.example": {"auth": value}}})
    docker(home, {"auths": {"reg.example": auth()}})

    assert user("reg.example/x") == "ada"
    assert "reg.example" in caplog.text
    assert value not in caplog.text


@pytest.mark.parametrize("entry", [{"auth": 70707}, {"username": "u", "password": 70707}, {"identitytoken": [70707]}])
def test_aut_24_an_entry_of_other_kinds_is_broken_too(
    home: Path, caplog: pytest.LogCaptureFixture, entry: dict[str, Any]
) -> None:
    path = write(home / "run/containers/auth.json", {"auths": {"reg.example": entry}})
    docker(home, {"auths": {"reg.example": auth()}})

    assert [user("reg.example/x"), user("reg.example/x")] == ["ada", "ada"]
    [warning] = caplog.records
    assert f"{path}: ignoring the entry 'reg.example'" in warning.getMessage()
    assert "70707" not in caplog.text


def test_c_28_an_odd_helper_harms_no_entry_that_comes_before_it(home: Path) -> None:
    docker(home, {"credHelpers": {"reg.example": "../evil"}, "auths": {"reg.example/x": auth()}})

    assert user("reg.example/x") == "ada"


def test_c_20_an_identity_token_wins_over_the_user_beside_it(home: Path) -> None:
    marker = auth("00000000-0000-0000-0000-000000000000", "")
    docker(home, {"auths": {"x.azurecr.io": {"identitytoken": "idt", **marker}}})

    credential = found("x.azurecr.io/a")
    assert credential is not None
    assert credential.identity_token == "idt"


def test_c_21_a_file_that_is_named_is_the_only_one(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    docker(home, {"auths": {"reg.example": auth()}})
    monkeypatch.setenv("REGISTRY_AUTH_FILE", str(write(home / "other.json", {"auths": {}})))

    assert found("reg.example/x") is None
    assert found("reg.example/x", Credentials(home / ".docker/config.json")) is not None


def test_c_22_a_file_that_is_named_must_be_there(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGISTRY_AUTH_FILE", str(home / "none.json"))

    with pytest.raises(errors.ConfigError, match=r"^REGISTRY_AUTH_FILE names .*none\.json, which does not exist"):
        found("reg.example/x")


def test_c_23_c_24_c_26_the_order_of_places(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(home / ".dockercfg", {"reg.example": auth("dockercfg")})
    assert user("reg.example/x") == "dockercfg"
    docker(home, {"auths": {"reg.example": auth("docker")}})
    assert user("reg.example/x") == "docker"
    write(home / ".config/containers/auth.json", {"auths": {"reg.example": auth("config")}})
    assert user("reg.example/x") == "config"
    runtime = write(home / "run/containers/auth.json", {"auths": {"other.example": auth("runtime")}})
    assert user("reg.example/x") == "config"
    write(runtime, {"auths": {"reg.example": auth("runtime")}})
    assert user("reg.example/x") == "runtime"
    monkeypatch.setenv("DOCKER_AUTH_CONFIG", json.dumps({"auths": {"reg.example": auth("variable")}}))
    assert user("reg.example/x") == "variable"


def test_c_25_docker_config_names_a_folder(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    docker(home, {"auths": {"reg.example": auth()}})
    monkeypatch.setenv("DOCKER_CONFIG", str(home / "d"))

    assert found("reg.example/x") is None


def test_c_27_a_file_that_is_no_json_says_where(home: Path) -> None:
    docker(home, '{"auths": {\n"reg.example": s3cr3t}}')

    with pytest.raises(errors.ConfigError, match=r"config\.json: not valid JSON \(line 2, column") as refused:
        found("reg.example/x")
    assert "s3cr3t" not in str(refused.value)


@pytest.mark.parametrize("name", ["../evil", "a b", "a/b", "a\\b", "-x", ".x", "", "x" * 300, "x;id", 7, None, ["x"]])
def test_c_28_aut_17_a_helper_of_an_odd_name_is_not_run(home: Path, name: object) -> None:
    docker(home, {"credHelpers": {"reg.example": name}})

    with pytest.raises(errors.ConfigError, match="nothing was run"):
        found("reg.example/x")


@pytest.mark.parametrize("members", ["[]", '{"auths": []}', '{"credHelpers": 7}', '{"credsStore": 7}', '"x"'])
def test_aut_24_a_file_that_is_no_configuration_is_named(home: Path, members: str) -> None:
    docker(home, members)

    with pytest.raises(errors.ConfigError, match=r"config\.json"):
        found("reg.example/x")


def test_aut_24_a_file_that_is_too_large_is_not_read(home: Path) -> None:
    with docker(home, "{}").open("r+b") as file:
        file.truncate(100 * 1024 * 1024)

    with pytest.raises(errors.ConfigError, match="larger"):
        found("reg.example/x")


def test_aut_23_d_14_a_file_that_others_may_write_is_refused(home: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = docker(home, {"auths": {"reg.example": auth()}})
    for mode in (0o602, 0o620, 0o666):
        path.chmod(mode)
        with pytest.raises(errors.ConfigError, match="chmod 600"):
            found("reg.example/x")
    path.chmod(0o644)
    with caplog.at_level(logging.WARNING):
        assert [user("reg.example/x"), user("reg.example/x")] == ["ada", "ada"]
    assert sum("chmod 600" in record.message for record in caplog.records) == 1


@pytest.mark.parametrize("image", ["r.example.evil.test/x", "evilr.example/x", "sub.r.example/x", "r.example:443/x"])
def test_aut_26_a_credential_is_for_its_host_alone(home: Path, image: str) -> None:
    docker(home, {"auths": {"r.example": auth()}})

    assert found(image) is None


@pytest.mark.parametrize(
    "answer", ["", "no JSON", "[]", "{}", '{"Username": 7, "Secret": "s"}', '{"Username": "u"}', "\udcff"]
)
def test_aut_19_a_helper_that_answers_nonsense_is_an_error(home: Path, helper: Helper, answer: str) -> None:
    docker(home, {"credsStore": "odd"})
    helper("odd", script=f"printf '%s' '{answer.encode('utf-8', 'surrogateescape').decode('latin-1')}'")

    with pytest.raises(errors.CredentialHelperError, match="docker-credential-odd"):
        found("reg.example/x")


def test_aut_19_a_helper_that_answers_without_end_is_cut(home: Path, helper: Helper) -> None:
    docker(home, {"credsStore": "odd"})
    helper("odd", script="head -c 1000000 /dev/zero")

    with pytest.raises(errors.CredentialHelperError, match="more than"):
        found("reg.example/x")


def test_aut_19_a_credential_of_another_server_is_not_used(home: Path, helper: Helper) -> None:
    docker(home, {"credsStore": "odd"})
    helper("odd", {"ServerURL": "evil.test", "Username": "u", "Secret": "s"})

    with pytest.raises(errors.CredentialError, match="a server other than"):
        found("reg.example/x")


def test_aut_18_a_helper_that_hangs_ends_with_all_that_it_began(
    home: Path, helper: Helper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dreg_client.credentials.program._TIMEOUT", 0.3)
    docker(home, {"credsStore": "hangs"})
    helper("hangs", script=f"trap '' TERM\nsleep 600 & echo $! > {home}/child\nsleep 600")

    with pytest.raises(errors.CredentialHelperError, match="did not finish"):
        found("reg.example/x")
    assert is_dead(int((home / "child").read_text()))


def test_a_helper_that_reads_late_gets_everything(home: Path, helper: Helper) -> None:
    helper("late")
    path = home / "bin/docker-credential-late"
    path.write_text(f"#!/bin/sh\nsleep 0.1\nwc -c > {home}/count\n")
    secret = "s" * 200_000  # a pipe holds 65,536 bytes

    program.keep("late", "reg.example", Credential("ada", secret))

    assert int((home / "count").read_text()) > len(secret)


def is_dead(process: int) -> bool:
    """Whether a process is gone, or only waits for its parent to notice; a signal takes a moment to arrive."""
    end = time.monotonic() + 5
    while time.monotonic() < end:
        try:
            if Path(f"/proc/{process}/stat").read_text().split()[2] == "Z":
                return True
        except (FileNotFoundError, ProcessLookupError):
            return True
    return False


def test_aut_21_a_helper_that_fails_is_a_warning(home: Path, helper: Helper, caplog: pytest.LogCaptureFixture) -> None:
    docker(home, {"credsStore": "fails", "auths": {"reg.example": auth()}})
    helper("fails", "boom", 1)

    assert user("reg.example/x") == "ada"
    assert "failed with exit code 1" in caplog.text
    assert "boom" not in caplog.text


def test_aut_21_a_helper_that_is_missing_is_told_of_once(home: Path, caplog: pytest.LogCaptureFixture) -> None:
    docker(home, {"credsStore": "missing"})
    credentials = Credentials.default()

    assert credentials.find("reg.example").faults == credentials.find("other.example").faults != ()
    assert len(caplog.records) == 1


def test_aut_21_a_helper_that_has_nothing_is_no_warning(
    home: Path, helper: Helper, caplog: pytest.LogCaptureFixture
) -> None:
    docker(home, {"credsStore": "pass"})
    helper("pass", "credentials not found in native keychain", 1)

    looked_up = Credentials.default().find("reg.example")
    assert (looked_up.credential, looked_up.faults, caplog.records) == (None, (), [])
    assert looked_up.places == (str(home / ".docker/config.json"), "docker-credential-pass")


def test_each_server_is_asked_for_once(home: Path, helper: Helper) -> None:
    docker(home, {"credsStore": "pass"})
    helper("pass", {"Username": "u", "Secret": "s"})
    credentials = Credentials.default()
    for _ in range(3):
        credentials.find("reg.example", "x")

    assert (home / "asked-pass").read_text().split() == ["reg.example"]


def test_a_credential_s_text_shows_no_secret(home: Path) -> None:
    docker(home, {"auths": {"reg.example": auth("ada", "s3cr3t")}})

    assert (
        "s3cr3t"
        not in f"{found('reg.example/x')!r} {found('reg.example/x')} {Credentials.default().find('reg.example')}"
    )


@pytest.mark.parametrize(
    "pair",
    [("a\nb", "c"), ("a", "b\0"), ("a:b", "c"), ("a", "b\r\n"), ("a", "b\x1b"), ("a\udcff", "b"), ("a", "\ud800")],
)
def test_ref_04_a_credential_with_control_characters_is_none(pair: tuple[str, str]) -> None:
    with pytest.raises(errors.CredentialError):
        Credential(*pair)


@pytest.mark.parametrize("secret", [{"identity_token": "a\nb"}, {"registry_token": "a\nb"}, {"registry_token": "a\tb"}])
def test_ref_04_a_token_has_no_line_feed(secret: dict[str, str]) -> None:
    with pytest.raises(errors.CredentialError, match="control characters"):
        Credential(**secret)


def test_c_29_of_two_equal_names_the_last_counts_as_docker_reads_it_with_a_warning(
    home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = docker(home, {})
    entries = ", ".join(f'"reg.example": {json.dumps(auth(name))}' for name in ("ada", "bob"))
    path.write_text(f'{{"auths": {{{entries}}}}}')

    assert [user("reg.example/a"), user("reg.example/b")] == ["bob", "bob"]
    [warning] = caplog.records
    assert warning.getMessage() == f"{path}: duplicate member 'reg.example'; the last one is used"
