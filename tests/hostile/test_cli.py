"""The command line between hostiles and a user: CLI-01, 03, 04, 09 to 12; more are in `tests/cli`."""

import json
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from dreg_client import Registry, errors
from dreg_client.cli.error_messages import BUG, exit_code
from tests.commands import run_dreg, start_limited
from tests.faultserver import STALL, Network, Piece, answer, challenge, head, redirect, refusal, sentence
from tests.hostile.registry import BLOB, LAYER, LAYER_DIGEST, MANIFESTS, TAGS, listed, registry_at
from tests.hostile.secrets import CANARIES, PASSWORD, SIGNED, TOKEN, USER
from tests.hostile.ways import Way, refused

DREG = [sys.executable, "-m", "dreg_client.cli"]
WEB = "registry.test/acme/web"
STEERS = "\x1b[2J\x1b]0;owned\x07\x7f\x9b31m"


@pytest.fixture
def command(net: Network) -> Way:
    """The command line, which shows where its errors come from."""
    return Way("command line", net)


def said(net: Network, *words: str) -> "subprocess.CompletedProcess[bytes]":
    """A command as users give it."""
    arguments = [words[0], "--ca-file", str(net.ca_file), "--retries", "0", *words[1:]]
    return run_dreg(arguments, environment=net.environment())


# --- control characters

ANSWERS: dict[str, Piece] = {
    "a message": refusal("403 No", STEERS, STEERS),
    "a page": answer(STEERS.encode(), "500 No"),
    "a warning": answer(sentence({"tags": ["1.4"]}), "200 OK", f'Warning: 299 - "{STEERS}"'),
    "a type": answer(b"{}", "200 OK", f"Content-Type: text/{STEERS}"),
    "a challenge": challenge(f'Bearer realm="https://{STEERS}/token",service="{STEERS}"'),
    "a place": redirect(f"https://{STEERS}/x"),
    "a tag": listed("1.4", STEERS),
    "a link": answer(sentence({"tags": ["1.4"]}), "200 OK", f"Link: <{STEERS}>; rel=next"),
}


@pytest.mark.parametrize("spoken", ANSWERS.values(), ids=list(ANSWERS))
def test_cli_01_nothing_that_a_registry_says_steers_the_terminal(command: Way, net: Network, spoken: Piece) -> None:
    registry_at(net).on(TAGS, spoken)
    command.tags()

    shown = [sign for sign in command.said if not sign.isprintable() and sign != "\n"]
    assert shown == []
    assert command.said


def test_cli_01_on_a_terminal_too(net: Network) -> None:
    registry_at(net).on(TAGS, refusal("403 No", "DENIED", STEERS, f'Warning: 299 - "{STEERS}"'))
    code, seen = on_a_terminal(net, "tags", "--ca-file", str(net.ca_file), "--retries", "0", WEB)

    assert code == 3
    assert b"\\x1b" in seen
    plain = seen.decode().replace("\r\n", "\n")
    for sign in ("\x07", "\x7f", "\x9b", "\x1b[2J", "\x1b]", "\r"):
        assert sign not in plain


def on_a_terminal(net: Network, *words: str) -> tuple[int, bytes]:
    """The exit code of a command, and all that is seen of it on the terminal that it runs on."""
    ours, its = pty.openpty()
    environment = net.environment(TERM="xterm")
    with start_limited(
        [*DREG, *words], stdin=its, stdout=its, stderr=its, start_new_session=True, env=environment
    ) as process:
        os.close(its)
        seen = b""
        with os.fdopen(ours, "rb", buffering=0) as screen, suppress(OSError):  # Linux says EIO where others say end
            while piece := screen.read(65536):
                seen += piece
    return process.returncode, seen


# --- passwords


@pytest.mark.parametrize("ending", ["", "\n", "\r\n"])
def test_cli_03_one_line_ending_of_a_password_is_cut(command: Way, net: Network, ending: str) -> None:
    registry = registry_at(net).on(TAGS, challenge("Basic"), listed("1.4"))
    done = command.command("tags", "--username", USER, "--password-stdin", WEB, stdin=f" {PASSWORD} {ending}")

    assert done.exit_code == 0
    assert registry.secrets == [basic(f"{USER}: {PASSWORD} ")]


@pytest.mark.parametrize("text", [f"{PASSWORD}\n\n", f"{PASSWORD}\nmore", f"{PASSWORD}\r\n\r\n", "", "\n"])
def test_cli_03_two_lines_or_none_are_no_password(command: Way, net: Network, text: str) -> None:
    registry = registry_at(net).on(TAGS, challenge("Basic"), listed("1.4"))
    done = command.command("tags", "--username", USER, "--password-stdin", WEB, stdin=text)

    assert done.exit_code not in {0, BUG}
    assert not registry.secrets
    assert PASSWORD not in command.said


@pytest.mark.parametrize("host", ["evil.test\r\x1b[2Kregistry.test", "evil.test%0aregistry.test", "a\x9bb.test"])
def test_cli_03_a_host_that_would_steer_the_prompt_is_not_asked_about(net: Network, host: str) -> None:
    code, seen = on_a_terminal(net, "login", host)

    assert code == 2
    assert b"User for" not in seen
    assert b"\x1b" not in seen


def basic(text: str) -> str:
    import base64

    return "Basic " + base64.b64encode(text.encode()).decode()


# --- interruptions


def interrupted(net: Network, ready: Callable[[], object], *words: str, **environment: str) -> int:
    """The exit code of a command that gets Ctrl-C once something is so."""
    command = [*DREG, words[0], "--ca-file", str(net.ca_file), *words[1:]]
    pipe = subprocess.PIPE
    with start_limited(
        command,
        stdin=subprocess.DEVNULL,
        stdout=pipe,
        stderr=pipe,
        env=net.environment(**environment),
        start_new_session=True,
    ) as process:
        try:
            wait_for(ready)
            process.send_signal(signal.SIGINT)
            out, told = process.communicate(timeout=60)
        finally:
            process.kill()
    assert out == b""
    assert not told or (told.startswith(b"dreg: interrupted; nothing was written") and told.count(b"\n") == 1)
    return process.returncode


def wait_for(ready: Callable[[], object]) -> None:
    end = time.monotonic() + 60
    while not ready():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)


def test_cli_04_a_download_that_is_interrupted_leaves_nothing(net: Network, tmp_path: Path) -> None:
    start = head("200 OK", f"Content-Length: {len(LAYER)}") + LAYER[:100]
    registry_at(net).on(BLOB, (start, STALL))
    folder = tmp_path / "out"
    folder.mkdir()

    assert (
        interrupted(net, lambda: any(folder.iterdir()), "blob", WEB, str(LAYER_DIGEST), "-o", f"{folder}/layer") == 130
    )
    assert not any(folder.iterdir())


@pytest.mark.parametrize(("step", "resume"), [("lseek", True), ("read", True), ("write", False), ("fsync", False)])
def test_cli_04_an_interruption_just_as_the_file_is_there_leaves_nothing(
    net: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, resume: bool
) -> None:
    registry_at(net)
    folder = tmp_path / "out"
    folder.mkdir()

    def interrupt(*_: object) -> None:
        assert any(folder.iterdir())
        raise KeyboardInterrupt

    with Registry("https://registry.test", ca_file=str(net.ca_file)) as registry, monkeypatch.context() as patched:
        patched.setattr(os, step, interrupt)
        with pytest.raises(KeyboardInterrupt):
            registry.repository("acme/web").download_blob(str(LAYER_DIGEST), folder / "layer", resume=resume)
    assert not any(folder.iterdir())


def test_cli_04_a_helper_that_is_interrupted_ends_with_all_that_it_began(net: Network) -> None:
    registry_at(net).on("/v2/*", challenge('Basic realm="r"'))
    (net.folder / ".docker").mkdir()
    (net.folder / ".docker/config.json").write_text('{"credsStore": "slow"}')
    (net.folder / ".docker/config.json").chmod(0o600)
    program, noted = net.folder / "docker-credential-slow", net.folder / "noted"
    program.write_text(
        f"#!/bin/sh\ncat > /dev/null\nsleep 600 &\necho $$ $! > {noted}.new\nmv {noted}.new {noted}\nwait\n"
    )
    program.chmod(0o755)

    assert interrupted(net, noted.exists, "tags", WEB, PATH=f"{net.folder}:{os.environ['PATH']}") == 130
    for number in noted.read_text().split():
        wait_for(lambda number=number: ended(int(number)))  # type: ignore[misc]


def ended(number: int) -> bool:
    """Whether a process is gone; one that nobody has waited for counts as gone."""
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return True
    status = Path(f"/proc/{number}/stat")
    return status.exists() and status.read_text().rpartition(")")[2].split()[0] == "Z"


# --- errors


def classes(of: type[errors.DregError] = errors.DregError) -> list[type[errors.DregError]]:
    return [of, *(found for below in of.__subclasses__() for found in classes(below))]


@pytest.mark.parametrize("kind", sorted(set(classes()), key=lambda it: it.__name__), ids=lambda it: it.__name__)
def test_cli_09_each_class_of_error_has_a_code_of_its_own_kind(kind: type[errors.DregError]) -> None:
    assert exit_code(kind.__new__(kind)) in range(1, 9)


FAILURES: dict[str, tuple[int, Any]] = {
    "UnauthorizedError": (3, challenge('Basic realm="r"')),
    "DeniedError": (3, refusal("403 No")),
    "NotFoundError": (4, refusal("404 No")),
    "AmbiguousDocumentError": (1, answer(b'{"a":1,"a":2}', "200 OK", "Content-Type: application/json")),
    "BlockedAddressError": (5, redirect("https://127.0.0.1/x")),
    "ServerError": (6, refusal("503 No")),
    "RegistryError": (6, refusal("400 No", "NAME_INVALID", "no")),
    "RateLimitedError": (6, refusal("429 No", "TOOMANY", "no", "Retry-After: 999")),
    "ProtocolError": (6, b"nonsense\r\n\r\n"),
    "UnsupportedError": (8, refusal("405 No")),
}


@pytest.mark.parametrize(("name", "code", "spoken"), [(name, *it) for name, it in FAILURES.items()], ids=list(FAILURES))
def test_cli_09_what_a_registry_does_has_its_code_and_a_line_of_json(
    net: Network, name: str, code: int, spoken: Piece
) -> None:
    registry_at(net).on(f"{MANIFESTS}/1.4", spoken)
    done = said(net, "inspect", f"{WEB}:1.4", "--format", "json")
    told = json.loads(done.stderr)

    assert (done.returncode, done.stdout) == (code, b"[]\n")
    assert done.stderr.count(b"\n") == 1
    assert (told["error"], told["exitCode"]) == (name, code)


UNTYPED = ["", "Content-Type: application/json", "Content-Type: application/octet-stream"]


@pytest.mark.parametrize("command", ["inspect", "platforms", "history", "config", "manifest"])
@pytest.mark.parametrize("header", UNTYPED, ids=["no type", "JSON", "octets"])
@pytest.mark.parametrize("body", [b"", b"[]", b"no", b"\xff"], ids=["empty", "list", "text", "bytes"])
def test_cli_09_a_body_of_which_no_one_knows_what_it_is_is_invalid(
    net: Network, body: bytes, header: str, command: str
) -> None:
    registry_at(net).on(f"{MANIFESTS}/1.4", answer(body, "200 OK", *filter(None, [header])))
    done = said(net, command, f"{WEB}:1.4")

    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.startswith(b"dreg: sha256:")


# --- secrets


def test_cli_10_debug_shows_no_secret(command: Way, net: Network, tmp_path: Path) -> None:
    registry = registry_at(net).on(
        BLOB, challenge('Bearer realm="https://registry.test/token"'), redirect(f"https://cdn.test/layer?sig={SIGNED}")
    )
    registry.on("/v2/", challenge("Basic"), answer(b"{}")).on("/token", answer(sentence({"token": TOKEN})))
    registry.on(f"{MANIFESTS}/new", challenge("Basic"), refusal("500 No"), method="PUT")
    net.host("cdn.test").on("/layer", answer(LAYER))
    command.credentials = (USER, PASSWORD)

    assert command.command("login", "registry.test").exit_code == 0
    assert command.blob(LAYER_DIGEST, tmp_path / "layer").exit_code == 0
    refused(command.tag("1.4", "new"), errors.ServerError)
    assert "Traceback" in command.said
    assert "GET https://cdn.test/layer" in command.said
    encoded = basic(f"{USER}:{PASSWORD}").removeprefix("Basic ")
    assert [secret for secret in (*CANARIES, encoded) if secret in command.said] == []


# --- names


@pytest.mark.parametrize("word", ["-x", "--no-such", "--plain-http=1"])
def test_cli_11_what_begins_with_a_dash_is_an_option_or_a_name(net: Network, word: str) -> None:
    registry = registry_at(net)

    assert said(net, "tags", word).returncode == 2
    behind = said(net, "tags", "--", word)
    assert behind.returncode == 2
    assert b"No such option" not in behind.stderr
    assert said(net, "tags", "--", WEB).stdout.split() == [b"1.4", b"all"]
    assert len(registry.requests) == 1


def test_cli_12_what_fails_loses_no_other(net: Network) -> None:
    registry_at(net)
    registry_at(net, "broken.test").on("/v2/*", refusal("500 No"))
    sources = [f"{WEB}:1.4", "broken.test/acme/web:1.4", f"{WEB}:all", "gone.test/acme/web:1.4", f"{WEB}:1.4"]
    done = said(net, "resolve", *sources)

    assert done.returncode == 1
    assert [line.split()[-1].decode() for line in done.stdout.splitlines()] == [sources[0], sources[2], sources[4]]
    last = done.stderr.decode().splitlines()[-1]
    assert "2 of 5 failed" in last
    assert sources[1] in last
    assert sources[3] in last
