"""Blobs whose bodies are cut, too long, or others: DLD-01 to DLD-05, DLD-16. A file is whole, or as it was before."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from dreg_client import Digest, errors
from tests.faultserver import END, RESET, STALL, Heard, Network, Piece, answer, chunked, head
from tests.faultserver.hosts import Said
from tests.hostile.downloads import (
    BEFORE,
    LARGE,
    SOCKETS,
    Tap,
    blob_path,
    close_delimited,
    descriptor,
    first_byte,
    held,
    part,
    rest,
)
from tests.hostile.registry import CONFIG, registry_at
from tests.hostile.ways import Outcome, Way, refused

HALF = len(LARGE) // 2
DIGEST = Digest.of(LARGE)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder in which the file is there already."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "layer").write_bytes(BEFORE)
    return tmp_path / "out"


def described(way: Way, size: int, folder: Path, raw: bytes = LARGE) -> Outcome:
    """A download by a descriptor, for which the command line has no words."""
    wanted = descriptor(raw, size)
    return way.ask(lambda repository: repository.download_blob(wanted, folder / "layer"))


CUT: dict[str, tuple[Piece, ...]] = {
    "end": (answer(LARGE[:HALF], length=len(LARGE)), END),
    "reset": (answer(LARGE[:HALF], length=len(LARGE)), RESET),
    "within a chunk": (chunked(LARGE[:HALF], end=b"4b000\r\n" + LARGE[HALF:-1]), END),
    "between chunks": (chunked(LARGE[:HALF], end=b""), END),
}


@pytest.mark.parametrize("cut", CUT.values(), ids=CUT)
def test_dld_01_a_body_that_is_cut_goes_on_where_it_was(
    way: Way, net: Network, folder: Path, cut: tuple[Piece, ...]
) -> None:
    registry = registry_at(net).on(blob_path(LARGE), cut, rest(LARGE))
    way.options["retries"] = 1  # a reset may swallow the head, too

    outcome = way.blob(DIGEST, folder / "layer")
    assert outcome.kind is None, outcome.text
    assert held(folder) == {"layer": LARGE}
    assert len(registry.requests) == 2


def cut_in_the_middle(fault: Piece) -> Said:
    """What gives the first half of a blob alone, whatever is asked for."""

    def said(heard: Heard) -> Iterable[Piece]:
        start = first_byte(heard)
        yield part(LARGE, start, until=HALF) if start else answer(LARGE[:HALF], length=len(LARGE))
        yield fault

    return said


def test_dld_01_a_body_that_is_cut_again_and_again_leaves_the_file_as_it_was(
    way: Way, net: Network, folder: Path
) -> None:
    registry = registry_at(net).on(blob_path(LARGE), cut_in_the_middle(END))

    refused(way.blob(DIGEST, folder / "layer"), errors.TruncatedBodyError)
    assert held(folder) == {"layer": BEFORE}
    assert len(registry.requests) == 6


def test_dld_01_a_body_that_is_torn_off_again_and_again_leaves_the_file_as_it_was(
    way: Way, net: Network, folder: Path
) -> None:
    registry = registry_at(net).on(blob_path(LARGE), cut_in_the_middle(RESET))

    refused(way.blob(DIGEST, folder / "layer"), errors.TransportError)
    assert held(folder) == {"layer": BEFORE}
    assert len(registry.requests) <= 6


@pytest.mark.parametrize("cut", [close_delimited(LARGE[:-100]), chunked(LARGE[:-100])], ids=["http 1.0", "chunked"])
def test_dld_02_a_body_without_a_length_is_measured_by_the_descriptor(
    library_way: Way, net: Network, folder: Path, cut: bytes
) -> None:
    registry_at(net).on(blob_path(LARGE), (cut, END))

    refused(described(library_way, len(LARGE), folder), errors.SizeMismatchError)
    assert held(folder) == {"layer": BEFORE}


def test_dld_02_a_body_without_a_length_is_proven_where_no_size_is_known(way: Way, net: Network, folder: Path) -> None:
    registry_at(net).on(blob_path(LARGE), (close_delimited(LARGE[:-100]), END))

    refused(way.blob(DIGEST, folder / "layer"), errors.DigestMismatchError)
    assert held(folder) == {"layer": BEFORE}


def test_dld_02_a_body_that_ends_with_its_connection_is_one(way: Way, net: Network, folder: Path) -> None:
    registry_at(net).on(blob_path(LARGE), (close_delimited(LARGE), END))

    assert way.blob(DIGEST, folder / "layer").kind is None
    assert held(folder) == {"layer": LARGE}


@pytest.mark.parametrize("is_chunked", [True, False])
def test_dld_03_a_body_without_an_end_is_left_behind_the_last_byte(
    library_way: Way, net: Network, folder: Path, is_chunked: bool
) -> None:
    def endless() -> Iterable[bytes]:
        yield head("200 OK", "Transfer-Encoding: chunked") if is_chunked else close_delimited(b"")
        more = LARGE
        while True:
            yield b"%x\r\n%b\r\n" % (len(more), more) if is_chunked else more
            more = b"x" * 65536

    tap = Tap(endless)
    registry = registry_at(net).on(blob_path(LARGE), tap)

    outcome = refused(described(library_way, len(LARGE), folder), errors.SizeMismatchError)
    assert held(folder) == {"layer": BEFORE}
    assert len(registry.requests) == 1
    registry.wait_until_idle()
    assert tap.taken < SOCKETS
    assert isinstance(outcome.error, errors.SizeMismatchError)
    assert outcome.error.expected == len(LARGE) < outcome.error.actual


def test_dld_03_bytes_behind_a_config_are_not_taken(way: Way, net: Network) -> None:
    def endless() -> Iterable[bytes]:
        yield close_delimited(CONFIG)
        while True:
            yield b" " * 65536

    tap = Tap(endless)
    registry = registry_at(net).on(blob_path(CONFIG), tap)

    refused(way.config("1.4"), errors.SizeMismatchError, errors.ResponseTooLargeError)
    registry.wait_until_idle()
    assert tap.taken < SOCKETS


@pytest.mark.parametrize("difference", [-1, 1, 1 << 40])
def test_dld_04_another_length_than_the_descriptor_s_is_refused_before_the_body(
    library_way: Way, net: Network, folder: Path, difference: int
) -> None:
    registry = registry_at(net).on(blob_path(LARGE), (answer(length=len(LARGE) + difference), STALL))

    refused(described(library_way, len(LARGE), folder), errors.SizeMismatchError)
    assert held(folder) == {"layer": BEFORE}
    assert len(registry.requests) == 1


def test_dld_05_other_bytes_are_asked_for_once_more_and_refused(way: Way, net: Network, folder: Path) -> None:
    registry = registry_at(net).on(blob_path(LARGE), answer(LARGE[::-1]))

    refused(way.blob(DIGEST, folder / "layer"), errors.DigestMismatchError)
    assert held(folder) == {"layer": BEFORE}
    first, second = registry.requests
    assert (first.header("cache-control"), second.header("cache-control")) == (None, "no-cache")
    assert second.header("range") is None


def test_dld_05_what_a_cache_had_wrong_is_right_the_second_time(way: Way, net: Network, folder: Path) -> None:
    registry_at(net).on(blob_path(LARGE), answer(LARGE[::-1]), answer(LARGE))

    assert way.blob(DIGEST, folder / "layer").kind is None
    assert held(folder) == {"layer": LARGE}


@pytest.mark.parametrize("said", [answer(b"x"), close_delimited(b"x"), chunked(b"x")], ids=["length", "end", "chunk"])
def test_dld_16_a_blob_of_no_bytes_has_none(library_way: Way, net: Network, folder: Path, said: bytes) -> None:
    registry_at(net).on(blob_path(b""), (said, END))

    refused(described(library_way, 0, folder, b""), errors.SizeMismatchError)
    assert held(folder) == {"layer": BEFORE}


@pytest.mark.parametrize("said", [answer(b""), close_delimited(b""), chunked()], ids=["length", "end", "chunk"])
def test_dld_16_a_blob_of_no_bytes_is_one(way: Way, net: Network, folder: Path, said: bytes) -> None:
    registry_at(net).on(blob_path(b""), (said, END))

    assert way.blob(Digest.of(b""), folder / "layer").kind is None
    assert held(folder) == {"layer": b""}


def test_dld_16_a_byte_where_none_is_due_is_refused(way: Way, net: Network, folder: Path) -> None:
    registry_at(net).on(blob_path(b""), answer(b"x"))

    refused(way.blob(Digest.of(b""), folder / "layer"), errors.DigestMismatchError)
    assert held(folder) == {"layer": BEFORE}
