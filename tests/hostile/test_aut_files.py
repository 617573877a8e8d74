"""Files of credentials with wrong rights, of wrong content, and what is written into them: AUT-23, AUT-24."""

import json
import os
import stat
from base64 import b64decode, b64encode
from contextlib import suppress
from pathlib import Path

import pytest

from dreg_client import Credentials, errors
from tests.faultserver import Host, Network
from tests.hostile.proof import BASIC, WHO, entry, home_of, identity, kept, password_registry_at
from tests.hostile.secrets import ENCODED, PASSWORD, REFRESH
from tests.hostile.ways import Way, refused

OURS = {"auths": {"registry.test": entry()}}


def looking(way: Way, net: Network) -> Host:
    """A registry that wants a password, which a way looks for in files."""
    way.environment = home_of(net)
    way.options = {"credentials": Credentials.default()}
    return password_registry_at(net)


def runtime(net: Network, members: object) -> Path:
    """Podman's file, which is looked into before docker's."""
    path = net.folder / "run" / "containers" / "auth.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(members))
    path.chmod(0o600)
    return path


# --- rights


def test_aut_23_a_file_that_others_may_read_is_warned_of_once(
    way: Way, net: Network, caplog: pytest.LogCaptureFixture
) -> None:
    registry = looking(way, net)
    path = kept(net, OURS, 0o644)

    outcome = way.tags()
    assert outcome.kind is None
    if way.name != "command line":
        assert way.tags().kind is None
    warned = [record.message for record in caplog.records if record.levelname == "WARNING"]
    told = outcome.text.splitlines() if way.name == "command line" else warned
    assert sum(f"chmod 600 {path}" in line for line in told) == 1
    assert set(registry.secrets) == {BASIC}


@pytest.mark.parametrize("mode", [0o602, 0o620, 0o666, 0o646])
def test_aut_23_a_file_that_others_may_write_is_refused(library_way: Way, net: Network, mode: int) -> None:
    registry = looking(library_way, net)
    path = kept(net, OURS, mode)

    assert str(path) in refused(library_way.tags(), errors.ConfigError).text
    assert registry.secrets == []


@pytest.mark.parametrize("mode", [0o606, 0o660])
def test_aut_23_also_by_the_command_line_and_behind_a_link(way: Way, net: Network, mode: int) -> None:
    registry = looking(way, net)
    path = kept(net, OURS, mode)
    path.symlink_to(path.rename(net.folder / "real.json"))

    outcome = refused(way.tags(), errors.ConfigError)
    assert str(path) in outcome.text
    assert outcome.exit_code in {0, 2}
    assert registry.secrets == []


def test_aut_23_d_14_who_owns_it_is_no_matter_where_its_owner_alone_may_write_it(way: Way, net: Network) -> None:
    registry = looking(way, net)
    path = kept(net, OURS)
    with suppress(PermissionError):  # of those who may not, the file is their own
        os.chown(path, 65534, -1)

    assert way.tags().kind is None
    assert registry.secrets == [BASIC]


@pytest.mark.parametrize("kind", ["a folder", "a pipe"])
def test_aut_23_what_is_no_file_is_not_read(library_way: Way, net: Network, kind: str) -> None:
    registry = looking(library_way, net)
    path = kept(net, OURS)
    path.unlink()
    path.mkdir() if kind == "a folder" else os.mkfifo(path)

    assert str(path) in refused(library_way.tags(), errors.ConfigError).text
    assert registry.secrets == []


# --- writing


def logging_in(net: Network) -> Way:
    """The command line, of a user without any file yet."""
    way = Way("command line", net, credentials=WHO)
    looking(way, net)
    return way


def test_aut_23_what_is_written_is_for_its_owner_alone(net: Network) -> None:
    way = logging_in(net)
    path = net.folder / "docker" / "config.json"

    done = way.command("login", "registry.test")
    assert done.kind is None
    assert str(path) in done.value.decode()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert json.loads(path.read_text()) == {"auths": {"registry.test": {"auth": ENCODED}}}
    assert list(path.parent.iterdir()) == [path]

    way.credentials = None
    assert way.tags().kind is None
    assert net.hosts["registry.test"].secrets == [BASIC, BASIC]
    assert way.command("logout", "registry.test").kind is None
    assert json.loads(path.read_text()) == {"auths": {}}
    refused(way.tags(), errors.UnauthorizedError)


def test_aut_23_a_file_is_replaced_by_a_new_one_with_all_else_that_was_in_it(net: Network) -> None:
    way = logging_in(net)
    members = {
        "auths": {"other.test": entry("bob"), "https://registry.test/v1/": entry("old"), "x.test": identity()},
        "HttpHeaders": {"X-Meta": "1"},
        "psFormat": "table",
        "future": [1, {"a": None}],
    }
    path = kept(net, members, 0o644)
    real = path.rename(net.folder / "real.json")
    path.symlink_to(real)
    with real.open("rb") as before:
        assert way.command("login", "registry.test").kind is None
        assert json.load(before) == members, "whoever reads the old file reads it to its end"
    written = json.loads(real.read_text())

    assert path.is_symlink()
    assert stat.S_IMODE(real.stat().st_mode) == 0o600
    assert {name: written[name] for name in members if name != "auths"} == {
        name: members[name] for name in members if name != "auths"
    }
    assert written["auths"] == {
        "other.test": entry("bob"),
        "x.test": identity(),
        "https://registry.test/v1/": {"auth": ENCODED},
    }
    assert [one.name for one in path.parent.iterdir()] == ["config.json"]
    assert not list(net.folder.glob(".*"))


@pytest.mark.parametrize("fault", ["the password is wrong", "others may write it", "it is no JSON", "it is a list"])
def test_aut_23_where_logging_in_fails_the_file_is_as_it_was(net: Network, fault: str) -> None:
    way = logging_in(net)
    text = {"it is no JSON": f'{{"auths": {REFRESH}', "it is a list": f'["{REFRESH}"]'}.get(fault, json.dumps(OURS))
    path = kept(net, text, 0o666 if fault == "others may write it" else 0o600)
    way.credentials = ("eve", "wrong") if fault == "the password is wrong" else WHO
    before = path.stat()

    outcome = way.command("login", "registry.test")
    refused(outcome, errors.UnauthorizedError if fault == "the password is wrong" else errors.ConfigError)
    assert path.read_text() == text
    assert (path.stat().st_ino, path.stat().st_mode, path.stat().st_mtime_ns) == (
        before.st_ino,
        before.st_mode,
        before.st_mtime_ns,
    )
    assert list(path.parent.iterdir()) == [path]


# --- content


NO_CONFIGURATION = {
    "auths that are a list": '{"auths": []}',
    "auths that are a text": f'{{"auths": "{PASSWORD}"}}',
    "helpers that are a list": '{"credHelpers": ["x"]}',
    "a store that is a number": '{"credsStore": 7}',
    "a list": f'["{PASSWORD}"]',
    "no JSON": f'{{"auths": {{"registry.test": {{"auth": {PASSWORD}}}}}}}',
    "an end too soon": f'{{"auths": {{"registry.test": {{"auth": "{PASSWORD}',
    "deep nesting": '{"a":' * 200_000,
    "no text": "\0\0\0",
}


@pytest.mark.parametrize("text", NO_CONFIGURATION.values(), ids=NO_CONFIGURATION)
def test_aut_24_a_file_that_is_no_configuration_is_named_and_not_shown(
    library_way: Way, net: Network, text: str
) -> None:
    registry = looking(library_way, net)
    path = kept(net, text)

    assert str(path) in refused(library_way.tags(), errors.ConfigError).text
    assert registry.secrets == []


@pytest.mark.parametrize("text", ['{"auths": []}', f'{{"auths": {PASSWORD}'])
def test_aut_24_also_by_the_command_line(way: Way, net: Network, text: str) -> None:
    looking(way, net)
    path = kept(net, text)

    outcome = refused(way.tags(), errors.ConfigError)
    assert str(path) in outcome.text
    assert outcome.exit_code in {0, 2}


@pytest.mark.parametrize(("size", "fits"), [(8 << 20, True), ((8 << 20) + 1, False), (100 << 20, False)])
def test_aut_24_a_file_may_have_8_mib(library_way: Way, net: Network, size: int, fits: bool) -> None:
    registry = looking(library_way, net)
    text = json.dumps(OURS)
    path = kept(net, text + " " * ((8 << 20) - len(text)))
    os.truncate(path, size)

    if fits:
        assert library_way.tags().kind is None
    else:
        assert str(path) in refused(library_way.tags(), errors.ConfigError).text
    assert registry.secrets == ([BASIC] if fits else [])


BROKEN = {
    "no object": 7,
    "no base64": {"auth": f"%{PASSWORD}%"},
    "no colon": {"auth": b64encode(PASSWORD.encode()).decode()},
    "no user": {"auth": b64encode(f":{PASSWORD}".encode()).decode()},
    "no UTF-8": {"auth": b64encode(PASSWORD.encode() + b"\xff:x").decode()},
    "a NUL inside": {"auth": b64encode(f"ada:{PASSWORD}\0x".encode()).decode()},
    "a line": {"auth": b64encode(f"ada:{PASSWORD}\r\nX-Evil: 1".encode()).decode()},
    "a line in a token": {"identitytoken": f"{REFRESH}\n"},
    "a line in a user": {"username": "a\nb", "password": PASSWORD},
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_aut_24_a_broken_entry_is_one_warning_and_the_next_source_counts(
    library_way: Way, net: Network, caplog: pytest.LogCaptureFixture, broken: object
) -> None:
    registry = looking(library_way, net)
    path = runtime(net, {"auths": {"registry.test": broken}})
    kept(net, OURS)

    assert library_way.tags().kind is None
    assert library_way.tags().kind is None
    assert registry.secrets == [BASIC, BASIC]
    [warned] = [record.message for record in caplog.records if record.levelname == "WARNING"]
    assert str(path) in warned
    assert "registry.test" in warned


def test_aut_24_also_on_standard_error(way: Way, net: Network) -> None:
    registry = looking(way, net)
    path = runtime(net, {"auths": {"registry.test": BROKEN["no base64"]}})
    kept(net, OURS)

    outcome = way.tags()
    assert outcome.kind is None
    assert registry.secrets == [BASIC]
    assert outcome.text.count(str(path)) == (1 if way.name == "command line" else 0)


@pytest.mark.parametrize("password", [f"{PASSWORD}:with:colons", f"{PASSWORD}-pässwörd-密", f" {PASSWORD} ", ":"])
def test_aut_24_a_password_is_sent_as_it_is(library_way: Way, net: Network, password: str) -> None:
    registry = looking(library_way, net)
    kept(net, {"auths": {"registry.test": entry("ada", password)}})

    refused(library_way.tags(), errors.UnauthorizedError)
    [shown] = registry.secrets
    assert b64decode(shown.removeprefix("Basic ")).decode() == f"ada:{password}"


def test_aut_24_nuls_that_some_write_behind_a_password_are_none_of_it(library_way: Way, net: Network) -> None:
    registry = looking(library_way, net)
    kept(net, {"auths": {"registry.test": entry("ada", f"{PASSWORD}\0\0")}})

    assert library_way.tags().kind is None
    assert registry.secrets == [BASIC]
