"""Programs that keep credentials, and fail in every way: AUT-17 to AUT-21."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from dreg_client import AsyncRegistry, Credentials, errors
from tests.commands import start_limited
from tests.faultserver import Host, Network
from tests.hostile.proof import BASIC, entry, home_of, kept, password_registry_at, program, runs, wanting
from tests.hostile.registry import registry_at
from tests.hostile.secrets import PASSWORD, REFRESH, TOKEN, USER
from tests.hostile.ways import Way, refused

GOOD = f'echo \'{{"ServerURL": "https://registry.test", "Username": "{USER}", "Secret": "{PASSWORD}", "More": [1]}}\''
PATIENCE = 120.0
"""Seconds; helpers that hang would be waited for five times as long."""
UNTIRING = """
from dreg_client.credentials import program
program._TIMEOUT = 600.0
from dreg_client.cli import main
main()
"""
NOT_FOUND = "echo 'credentials not found in native keychain'; exit 1"


def looking(way: Way, net: Network, members: object) -> Host:
    """A registry that wants a password, which a way looks for in docker's file."""
    kept(net, members)
    way.environment = home_of(net)
    way.options = {"credentials": Credentials.default()}
    return password_registry_at(net)


def is_dead(process: int) -> bool:
    """Whether a process is gone, or only waits for its parent to notice."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def wait_for(what: Callable[[], object]) -> None:
    """Wait for what takes a moment, on a machine that may be very busy."""
    end = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)


def processes(net: Network) -> list[int]:
    """The helper and its children, as they noted themselves."""
    path = net.folder / "pids"
    return [int(line) for line in path.read_text().split()] if path.exists() else []


# --- names


ODD = ["../../tmp/evil", "a/b", "a\\b", "-x", "", "x" * 300, "x;id", ".hidden", "x y", "x\n", "ä", 7, None]


@pytest.mark.parametrize("name", ODD)
def test_aut_17_a_helper_of_an_odd_name_is_not_run(
    library_way: Way, net: Network, monkeypatch: pytest.MonkeyPatch, name: object
) -> None:
    registry = looking(library_way, net, {"credHelpers": {"registry.test": name}})
    for planted in ("-x", "x;id", ".hidden", "x y", "x\n", "a\\b", "ä", ""):
        program(net, planted, GOOD)
    (net.folder / "docker-credential-a").mkdir()
    program(net, "b", GOOD).rename(net.folder / "docker-credential-a" / "b")
    monkeypatch.chdir(net.folder)

    refused(library_way.tags(), errors.ConfigError)
    assert runs(net) == []
    assert registry.secrets == []
    assert len(registry.requests) == 1


@pytest.mark.parametrize("member", ["credsStore", "credHelpers"])
def test_aut_17_nor_by_the_command_line(way: Way, net: Network, member: str) -> None:
    name = "../bin/docker-credential-odd"
    registry = looking(way, net, {member: name if member == "credsStore" else {"registry.test": name}})
    program(net, "odd", GOOD)

    assert refused(way.tags(), errors.ConfigError).exit_code in {0, 2}
    assert runs(net) == []
    assert registry.secrets == []


# --- that do not end


STUBBORN = {
    "hangs": "exec sleep 600",
    "ignores SIGTERM": "trap '' TERM HUP INT; sleep 600; sleep 600",
    "has a child that holds its output": "trap '' TERM; sleep 600 & echo $! >> {pids}; sleep 600",
    "has said all, and hangs": GOOD + "; sleep 600",
}


@pytest.mark.parametrize("script", STUBBORN.values(), ids=STUBBORN)
def test_aut_18_a_helper_that_does_not_end_is_ended_with_all_that_it_began(
    library_way: Way, net: Network, monkeypatch: pytest.MonkeyPatch, script: str
) -> None:
    monkeypatch.setattr("dreg_client.credentials.program._TIMEOUT", 0.5)
    registry = looking(library_way, net, {"credsStore": "stubborn"})
    pids = net.folder / "pids"
    program(net, "stubborn", f"echo $$ >> {pids}; " + script.replace("{pids}", str(pids)))

    outcome = refused(library_way.tags(), errors.CredentialHelperError)
    assert "docker-credential-stubborn" in outcome.text
    wait_for(lambda: all(map(is_dead, processes(net))))
    assert registry.secrets == []
    assert len(registry.requests) == 1


def test_trn_33_a_call_does_not_wait_for_a_helper_after_its_deadline(way: Way, net: Network) -> None:
    registry = looking(way, net, {"credsStore": "slow"})
    program(net, "slow", f"echo $$ >> {net.folder}/pids; exec sleep 600")
    way.options["deadline"] = 2.0
    began = time.monotonic()

    refused(way.tags(), errors.DeadlineError)
    assert time.monotonic() - began < (20 if way.name == "command line" else 10)
    wait_for(lambda: all(map(is_dead, processes(net))))
    assert registry.secrets == []


def test_aut_18_a_child_that_holds_its_output_is_not_waited_for(way: Way, net: Network) -> None:
    registry = looking(way, net, {"credsStore": "parent"})
    program(net, "parent", f"sleep 600 & echo $! >> {net.folder}/pids; {GOOD}")

    assert way.tags().kind is None
    assert registry.secrets == [BASIC]
    wait_for(lambda: all(map(is_dead, processes(net))))
    assert len(processes(net)) == 1


@pytest.mark.parametrize("names", [1, 3])
def test_aut_18_ctrl_c_ends_the_command_line_and_the_helper_at_once(net: Network, names: int) -> None:
    way = Way("command line", net)
    looking(way, net, {"credsStore": "stubborn"})
    pids = net.folder / "pids"
    program(net, "stubborn", f"trap '' TERM INT; sleep 600 & echo $$ $! >> {pids}; sleep 600")
    repositories = [f"registry.test/acme/web{number or ''}" for number in range(names)]
    for repository in repositories:
        wanting(net.hosts["registry.test"], "Basic", path=f"/v2/{repository.partition('/')[2]}/tags/list")
    command = [sys.executable, "-c", UNTIRING, "tags", "--ca-file", str(net.ca_file), *repositories]
    environment = net.environment(**way.environment)

    with start_limited(command, env=environment, start_new_session=True, stderr=subprocess.DEVNULL) as process:
        try:
            wait_for(lambda: len(processes(net)) >= 2)
            process.send_signal(signal.SIGINT)
            assert process.wait(PATIENCE) == 130
            wait_for(lambda: all(map(is_dead, processes(net))))
        finally:
            process.kill()
            _end(processes(net))


def _end(numbers: list[int]) -> None:
    for number in numbers:
        with suppress(ProcessLookupError):
            os.killpg(os.getpgid(number), signal.SIGKILL)


def test_aut_18_a_task_that_is_cancelled_ends_the_helper_at_once(net: Network) -> None:
    way = Way("tasks", net)
    looking(way, net, {"credsStore": "stubborn"})
    pids = net.folder / "pids"
    program(net, "stubborn", f"trap '' TERM INT; sleep 600 & echo $$ $! >> {pids}; sleep 600")
    credentials = Credentials(environment=net.environment(**way.environment))

    async def ask() -> None:
        async with AsyncRegistry("https://registry.test", ca_file=str(net.ca_file), credentials=credentials) as opened:
            tasks = [asyncio.create_task(opened.repository("acme/web").tags()) for _ in range(3)]
            try:
                await asyncio.to_thread(wait_for, lambda: len(processes(net)) >= 2)
                for task in tasks:
                    task.cancel()
                await asyncio.wait(tasks, timeout=PATIENCE)
                assert all(task.cancelled() for task in tasks)
                await asyncio.to_thread(wait_for, lambda: all(map(is_dead, processes(net))))
            finally:
                _end(processes(net))

    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("PATH", way.environment["PATH"])
        patched.setattr("dreg_client.credentials.program._TIMEOUT", 600.0)
        asyncio.run(ask())
    assert runs(net).count("get") == 1


# --- that answer nonsense


NONSENSE = {
    "1 GiB": "head -c 1073741824 /dev/zero",
    "no end": "yes",
    "64 KiB and a byte": f"{GOOD}; head -c 65536 /dev/zero | tr '\\0' ' '",
    "no UTF-8": 'printf \'{"Username": "ada", "Secret": "' + TOKEN + "\\377\"}'",
    "no JSON": f"echo {TOKEN}",
    "a list": f"echo '[\"{TOKEN}\"]'",
    "a number for a secret": 'echo \'{"Username": "ada", "Secret": 7}\'',
    "no secret": 'echo \'{"Username": "ada", "Secret": ""}\'',
    "a user that is a list": f'echo \'{{"Username": ["ada"], "Secret": "{TOKEN}"}}\'',
    "a secret twice": f'echo \'{{"Username": "ada", "Secret": "x", "Secret": "{TOKEN}"}}\'',
    "nothing": "true",
    "deep nesting": "yes '[' | head -c 60000",
}

TOO_MUCH = {NONSENSE[name] for name in ("1 GiB", "no end", "64 KiB and a byte")}


@pytest.mark.parametrize("script", NONSENSE.values(), ids=NONSENSE)
def test_aut_19_what_is_no_answer_is_an_error_that_shows_nothing_of_it(
    library_way: Way, net: Network, script: str
) -> None:
    registry = looking(library_way, net, {"credsStore": "odd"})
    program(net, "odd", script)

    outcome = refused(library_way.tags(), errors.CredentialHelperError)
    assert "docker-credential-odd" in outcome.text
    assert registry.secrets == []
    assert len(registry.requests) == 1
    assert ("more than 65536 bytes" in outcome.text) == (script in TOO_MUCH)


def test_aut_19_also_by_the_command_line(way: Way, net: Network) -> None:
    registry = looking(way, net, {"credsStore": "odd"})
    program(net, "odd", "yes")

    assert refused(way.tags(), errors.CredentialHelperError).exit_code in {0, 3}
    assert registry.secrets == []


def test_aut_19_what_it_says_to_people_is_no_answer(library_way: Way, net: Network) -> None:
    registry = looking(library_way, net, {"credsStore": "loud"})
    program(net, "loud", f"head -c 10000000 /dev/zero >&2; echo {TOKEN} >&2; {GOOD}")

    assert library_way.tags().kind is None
    assert registry.secrets == [BASIC]


@pytest.mark.parametrize(
    "server", ["other.test", "https://registry.test.evil.test", "sub.registry.test", "registry.test:8443"]
)
def test_aut_19_the_credential_of_another_server_is_not_used(library_way: Way, net: Network, server: str) -> None:
    registry = looking(library_way, net, {"credsStore": "odd"})
    program(net, "odd", f'echo \'{{"ServerURL": "{server}", "Username": "ada", "Secret": "{PASSWORD}"}}\'')

    refused(library_way.tags(), errors.CredentialError)
    assert registry.secrets == []


@pytest.mark.parametrize("secret", [f"{PASSWORD}\\r\\nX-Evil: 1", f"{PASSWORD}\\u0000"])
def test_aut_19_a_secret_that_cannot_be_sent_is_an_error(library_way: Way, net: Network, secret: str) -> None:
    registry = looking(library_way, net, {"credsStore": "odd"})
    program(net, "odd", f'cat <<\'END\'\n{{"Username": "ada", "Secret": "{secret}"}}\nEND')

    refused(library_way.tags(), errors.CredentialError)
    assert registry.secrets == []


# --- that fail


def reason(kind: str, net: Network) -> str:
    """Install a helper that fails so, and say by what words its failure is told."""
    match kind:
        case "missing":
            return "cannot run"
        case "may not be run":
            program(net, "desktop", GOOD).chmod(0o600)
            return "cannot run"
        case "no program":
            program(net, "desktop", GOOD).write_bytes(b"\0\1\2")
            return "cannot run"
        case _:
            program(net, "desktop", f"echo {TOKEN}; echo {REFRESH} >&2; exit 1")
            return "exit code 1"


FAILING = ["missing", "may not be run", "no program", "fails"]


@pytest.mark.parametrize("kind", FAILING)
def test_aut_21_a_helper_that_fails_is_a_warning_and_the_reason_of_a_refusal(
    library_way: Way, net: Network, caplog: pytest.LogCaptureFixture, kind: str
) -> None:
    members = {"credsStore": "desktop", "auths": {"other.test": entry()}}
    registry = looking(library_way, net, members)
    words = reason(kind, net)

    outcome = refused(library_way.tags(), errors.UnauthorizedError)
    assert "docker-credential-desktop" in outcome.text
    assert words in outcome.text
    warned = [record.message for record in caplog.records if record.levelname == "WARNING"]
    assert len(warned) == 1
    assert "docker-credential-desktop" in warned[0]
    assert registry.secrets == []


@pytest.mark.parametrize("kind", ["missing", "fails"])
def test_aut_21_also_by_the_command_line(way: Way, net: Network, kind: str) -> None:
    registry = looking(way, net, {"credsStore": "desktop", "auths": {"other.test": entry()}})
    reason(kind, net)

    outcome = refused(way.tags(), errors.UnauthorizedError)
    assert "docker-credential-desktop" in outcome.text.splitlines()[-1]
    assert registry.secrets == []


def test_aut_21_what_is_public_is_read_all_the_same(way: Way, net: Network) -> None:
    looking(way, net, {"credsStore": "desktop"})
    wanting(registry_at(net, "public.test"), 'Bearer realm="https://public.test/token"', "Bearer anybody's")
    net.hosts["public.test"].on("/token", b"HTTP/1.1 200 OK\r\nContent-Length: 22\r\n\r\n" + b'{"token": "anybody\'s"}')
    way.registry = "public.test"

    outcome = way.tags()
    assert outcome.kind is None
    if way.name == "command line":
        assert outcome.text.count("docker-credential-desktop") == 1


def test_aut_21_a_helper_that_has_none_is_no_fault(way: Way, net: Network, caplog: pytest.LogCaptureFixture) -> None:
    registry = looking(way, net, {"credsStore": "desktop"})
    program(net, "desktop", NOT_FOUND)

    outcome = refused(way.tags(), errors.UnauthorizedError)
    assert registry.secrets == []
    assert not [record for record in caplog.records if record.levelname == "WARNING"]
    assert "warning" not in outcome.text


@pytest.mark.parametrize("kind", ["missing", "fails"])
@pytest.mark.parametrize("word", ["login", "logout"])
def test_aut_21_logging_in_and_out_by_a_helper_that_fails_is_an_error(net: Network, word: str, kind: str) -> None:
    way = Way("command line", net)
    looking(way, net, {"credsStore": "desktop", "auths": {"registry.test": {}}})
    reason(kind, net)
    before = (net.folder / "docker/config.json").read_bytes()
    words = ["--username", USER, "--password-stdin"] if word == "login" else []

    outcome = way.command(word, *words, "registry.test", stdin=PASSWORD)
    refused(outcome, errors.CredentialHelperError)
    assert outcome.exit_code == 3
    assert "docker-credential-desktop" in outcome.text
    assert (net.folder / "docker/config.json").read_bytes() == before
    assert not {TOKEN, REFRESH, PASSWORD} & set(outcome.text.split())
