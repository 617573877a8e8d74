"""What is told of waits: each of more than a second on a terminal, and nothing elsewhere."""

import sys
from collections.abc import Callable
from typing import Any

import pytest

from tests.answering import in_turn, registry
from tests.raw_server import answer

Run = Callable[..., Any]
BUSY = answer(b"", "429 Too Many Requests", "Retry-After: 0")
TAGS = answer(b'{"name": "acme/web", "tags": ["1.4"]}', "200 OK", "Content-Type: application/json")
EVERY_WAIT_IS_LONG = [
    sys.executable,
    "-c",
    "import dreg_client.cli.waits as w; w._LONGEST_UNREPORTED = -1; from dreg_client.cli import main; main()",
]


def test_a_wait_is_reported_on_a_terminal(terminal: Run) -> None:
    with registry(in_turn(BUSY, TAGS)) as server:
        shown = terminal("tags", f"localhost:{server.server.port}/acme/web", command=EVERY_WAIT_IS_LONG)

    assert shown.out == f"dreg: GET {server.url}/v2/acme/web/tags/list: status 429; retrying in 0 s\n1.4\n"


def test_a_short_wait_is_not_reported(terminal: Run) -> None:
    with registry(in_turn(BUSY, TAGS)) as server:
        assert terminal("tags", f"localhost:{server.server.port}/acme/web").out == "1.4\n"


def test_a_wait_is_not_reported_in_a_pipe(dreg: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.cli.conftest.COMMAND", EVERY_WAIT_IS_LONG)
    with registry(in_turn(BUSY, TAGS)) as server:
        told = dreg("tags", f"localhost:{server.server.port}/acme/web")

    assert (told.code, told.out, told.err) == (0, "1.4\n", "")


@pytest.mark.parametrize(
    "words", [["tags", "{}/acme/web"], ["repos", "{}"], ["login", "{}", "-u", "a", "--password-stdin"]]
)
def test_a_port_where_nothing_listens_is_known_soon(dreg: Run, words: list[str]) -> None:
    told = dreg(*(word.format("localhost:1") for word in words), stdin=b"p")

    assert told.code == 6
    assert told.err.endswith("cannot connect: connection refused; gave up after 2 attempts\n")
