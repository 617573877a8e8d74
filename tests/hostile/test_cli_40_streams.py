"""Lists of names are printed page by page, and the memory for them does not grow: CLI-40."""

import json
import subprocess
from collections.abc import Callable, Iterator
from itertools import count
from threading import Event

import pytest

from tests.commands import start_limited
from tests.faultserver import Heard, Network, Piece, answer, refusal, sentence
from tests.hostile.floods import CATALOG, JSON
from tests.hostile.measured import COMMAND, Measured, run_measured
from tests.hostile.registry import MANIFEST, MANIFESTS, TAGS, document, registry_at

COMMANDS = {"tags": ("registry.test/acme/web", TAGS, "tags"), "repos": ("registry.test", CATALOG, "repositories")}
Page = Callable[[int], Piece]


@pytest.fixture(params=COMMANDS)
def command(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def serve(net: Network, command: str, page: Callable[[Heard, int], Piece]) -> None:
    """A list whose pages have numbers from 0."""
    host = net.hosts.get("registry.test") or registry_at(net)
    host.on(COMMANDS[command][1], lambda heard: page(heard, int(heard.query.get("page", ["0"])[0])))


def names(command: str, number: int, *, size: int = 3, last: bool = False) -> Piece:
    """One page of names; it names the next one."""
    _, path, member = COMMANDS[command]
    found = [f"n{number}-{each}" for each in range(size)]
    link = [] if last else [f'Link: <{path}?page={number + 1}>; rel="next"']
    return answer(sentence({member: found}), "200 OK", JSON, *link)


def run(net: Network, command: str, *words: str, until: int | None = None) -> Measured:
    return run_measured(net, command, COMMANDS[command][0], *words, until=until)


@pytest.mark.parametrize("output", ["text", "json"])
def test_cli_40_a_page_is_printed_before_the_next_one_is_there(net: Network, command: str, output: str) -> None:
    seen = Event()

    def page(heard: Heard, number: int) -> Piece:
        if number:
            assert seen.wait(60), "the first page was not printed"
        return names(command, number, last=number == 1)

    serve(net, command, page)
    words = [*COMMAND, command, COMMANDS[command][0], "--format", output, "--ca-file", str(net.ca_file)]
    with start_limited(words, stdout=subprocess.PIPE, env=net.environment()) as process:
        lines: Iterator[bytes] = iter(process.stdout or ())
        first = next(line for line in lines if b"n0-1" in line)
        seen.set()
        rest = [*lines]
    assert process.returncode == 0
    assert b"n0-1" in first
    assert any(b"n1-2" in line for line in rest)


@pytest.mark.parametrize("output", ["text", "json"])
def test_cli_40_what_was_printed_before_a_failure_stays(net: Network, command: str, output: str) -> None:
    serve(net, command, lambda _, number: names(command, number) if number < 2 else refusal("400 Bad Request"))

    done = run(net, command, "--format", output)
    assert done.code == 6
    assert "400" in done.err
    found = [f"n{number}-{each}" for number in range(2) for each in range(3)]
    if output == "text":
        assert done.out.decode().split() == found
    elif command == "repos":
        assert json.loads(done.out) == found
    else:
        assert json.loads(done.out) == [{"source": "registry.test/acme/web", "tags": found, "complete": False}]
        assert json.loads(done.err)["exitCode"] == 6


def test_cli_40_a_list_that_fails_at_once_prints_nothing(net: Network, command: str) -> None:
    serve(net, command, lambda _, __: refusal("400 Bad Request"))

    assert (run(net, command).out, run(net, command, "--format", "json").out) in [(b"", b""), (b"", b"[]\n")]


@pytest.mark.parametrize("output", ["text", "json"])
def test_cli_40_a_reader_ends_a_list_without_an_end(net: Network, command: str, output: str) -> None:
    serve(net, command, lambda _, number: names(command, number, size=100))

    done = run(net, command, "--format", output, until=1)
    assert (done.code, done.err) == (141, "")


def test_cli_40_the_memory_does_not_grow_with_the_pages(net: Network, command: str) -> None:
    peaks = []
    for pages in (20, 200):
        serve(net, command, lambda _, number, last=pages - 1: names(command, number, size=1000, last=number == last))
        done = run(net, command)
        assert done.code == 0
        assert done.printed > pages * 5000
        peaks.append(done.peak)
    assert peaks[1] <= 1.1 * peaks[0]


def test_cli_40_more_pages_are_listed_than_a_list_in_memory_has(net: Network, command: str) -> None:
    serve(net, command, lambda _, number: names(command, number, size=1, last=number == 1200))

    assert run(net, command).out.count(b"\n") == 1201


def test_cli_40_json_is_the_same_as_of_a_list_that_is_whole(net: Network) -> None:
    registry_at(net).on(TAGS, names("tags", 0, last=True))
    registry_at(net, "empty.test").on(TAGS, answer(b'{"tags": []}', "200 OK", JSON))

    sources = ["registry.test/acme/web", "gone.test/acme/web", "empty.test/acme/web", "registry.test/acme/web"]
    done = run_measured(net, "tags", *sources, "--format", "json")
    found = [
        {"source": sources[0], "tags": ["n0-0", "n0-1", "n0-2"]},
        {"source": sources[2], "tags": []},
        {"source": sources[3], "tags": ["n0-0", "n0-1", "n0-2"]},
    ]
    assert done.out.decode() == json.dumps(found, indent=2) + "\n"
    assert done.code == 1


def test_cli_40_a_source_that_fails_later_on_does_not_stop_the_others(net: Network) -> None:
    good, bad = "registry.test/acme/web", "bad.test/acme/web"
    registry_at(net).on(TAGS, names("tags", 0, last=True))
    registry_at(net, "bad.test").on(TAGS, names("tags", 0), refusal("400 Bad Request"))

    done = run_measured(net, "tags", bad, good)
    assert done.out.decode().split() == [f"{source}:n0-{each}" for source in (bad, good) for each in range(3)]
    assert done.code == 1
    assert done.err.splitlines()[-1] == f"dreg: 1 of 2 failed: {bad}"


def test_cli_40_digests_are_printed_some_rows_at_a_time(net: Network) -> None:
    seen, asked = Event(), count()
    tags = [f"t{number}" for number in range(250)]

    def manifest(heard: Heard) -> Piece:
        if next(asked) > 150:
            assert seen.wait(60), "no rows were printed"
        return document(MANIFEST)

    registry_at(net).on(TAGS, answer(sentence({"tags": tags}), "200 OK", JSON)).on(f"{MANIFESTS}/*", manifest)
    words = [*COMMAND, "tags", "registry.test/acme/web", "--digests", "--ca-file", str(net.ca_file)]
    with start_limited(words, stdout=subprocess.PIPE, env=net.environment()) as process:
        lines: Iterator[bytes] = iter(process.stdout or ())
        first = next(lines)
        seen.set()
        rest = [*lines]
    assert process.returncode == 0
    assert [line.split()[0].decode() for line in (first, *rest)] == tags
