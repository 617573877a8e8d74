"""Downloads that go on: ranges that are not the ones asked for, passed over, or refused: DLD-09, DLD-11, DLD-12."""

from pathlib import Path

import pytest

from dreg_client import Digest, errors
from tests.faultserver import END, Heard, Network, Piece, answer, head
from tests.hostile.downloads import BEFORE, LARGE, blob_path, first_byte, held, part, part_file
from tests.hostile.registry import registry_at
from tests.hostile.ways import Way, refused

SIZE = len(LARGE)
HALF = SIZE // 2
DIGEST = Digest.of(LARGE)
CUT = (answer(LARGE[:HALF], length=SIZE), END)


def another(shown: str) -> bytes:
    """A part with what it says of itself, which is another one than is asked for."""
    return head("206 Partial Content", f"Content-Length: {SIZE - HALF}", *([shown] if shown else [])) + LARGE[HALF:]


ANOTHER = {
    "earlier": f"Content-Range: bytes 0-{SIZE - 1}/{SIZE}",
    "one later": f"Content-Range: bytes {HALF + 1}-{SIZE - 1}/{SIZE}",
    "none said": "",
    "no range": f"Content-Range: bytes={HALF}-{SIZE - 1}/{SIZE}",
}


@pytest.mark.parametrize("shown", ANOTHER.values(), ids=ANOTHER)
def test_dld_09_another_part_is_dropped_and_all_is_asked_for(
    library_way: Way, net: Network, folder: Path, shown: str
) -> None:
    registry = registry_at(net).on(blob_path(LARGE), CUT, another(shown), answer(LARGE))

    assert library_way.blob(DIGEST, folder / "layer").error is None
    assert held(folder) == {"layer": LARGE}
    assert [heard.header("range") for heard in registry.requests] == [None, f"bytes={HALF}-", None]


@pytest.mark.parametrize("first", [CUT, another(ANOTHER["earlier"])], ids=["on resuming", "not asked for"])
def test_dld_09_another_part_again_is_refused(
    way: Way, net: Network, folder: Path, first: Piece | tuple[Piece, ...]
) -> None:
    registry = registry_at(net).on(blob_path(LARGE), first, another(ANOTHER["one later"]))

    refused(way.blob(DIGEST, folder / "layer"), errors.ProtocolError)
    assert held(folder) == {"layer": BEFORE}
    assert len(registry.requests) == (3 if first is CUT else 2)


def test_dld_09_what_came_in_an_earlier_call_is_never_joined_with_another_part(
    way: Way, net: Network, folder: Path
) -> None:
    registry_at(net).on(blob_path(LARGE), another(ANOTHER["earlier"]))
    part_file(folder, DIGEST).write_bytes(LARGE[:HALF])

    refused(way.blob(DIGEST, folder / "layer", resume=True), errors.ProtocolError)
    assert held(folder)["layer"] == BEFORE


@pytest.mark.parametrize("kept", [LARGE[:HALF], LARGE[HALF:]], ids=["right", "wrong"])
def test_dld_11_where_ranges_are_passed_over_nothing_is_appended(
    way: Way, net: Network, folder: Path, kept: bytes
) -> None:
    registry = registry_at(net).on(blob_path(LARGE), answer(LARGE))
    part_file(folder, DIGEST).write_bytes(kept)

    outcome = way.blob(DIGEST, folder / "layer", resume=True)
    assert outcome.kind is None, outcome.text
    assert held(folder) == {"layer": LARGE}
    assert registry.requests[0].header("range") == f"bytes={HALF}-"


def test_dld_11_an_interruption_goes_on_with_the_whole_body(way: Way, net: Network, folder: Path) -> None:
    registry = registry_at(net).on(blob_path(LARGE), CUT, answer(LARGE))

    assert way.blob(DIGEST, folder / "layer").kind is None
    assert held(folder) == {"layer": LARGE}
    assert len(registry.requests) == 2


def ranged(heard: Heard) -> Piece:
    """A registry gives what there is of a range, and refuses one that begins behind the end."""
    start = first_byte(heard)
    if start >= SIZE:
        return answer(b"", "416 Range Not Satisfiable", f"Content-Range: bytes */{SIZE}")
    return part(LARGE, start) if start else answer(LARGE)


WHOLE = {
    "complete": (LARGE, 1),
    "other bytes": (LARGE[::-1], 2),
    "longer": (LARGE + b"more", 2),
    "shorter": (LARGE[:HALF], 1),
    "shorter, other bytes": (LARGE[HALF:], 2),
}


@pytest.mark.parametrize(("kept", "asked"), WHOLE.values(), ids=WHOLE)
def test_dld_12_what_is_kept_is_proven_and_else_dropped(
    way: Way, net: Network, folder: Path, kept: bytes, asked: int
) -> None:
    registry = registry_at(net).on(blob_path(LARGE), ranged)
    part_file(folder, DIGEST).write_bytes(kept)

    outcome = way.blob(DIGEST, folder / "layer", resume=True)
    assert outcome.kind is None, outcome.text
    assert held(folder) == {"layer": LARGE}
    assert len(registry.requests) == asked


@pytest.mark.parametrize("kept", [kept for kept, _ in WHOLE.values()], ids=WHOLE)
def test_dld_12_416_need_not_say_how_long_the_blob_is(
    library_way: Way, net: Network, folder: Path, kept: bytes
) -> None:
    always = answer(b"", "416 Range Not Satisfiable")
    registry_at(net).on(blob_path(LARGE), lambda heard: always if heard.header("range") else answer(LARGE))
    part_file(folder, DIGEST).write_bytes(kept)

    assert library_way.blob(DIGEST, folder / "layer", resume=True).error is None
    assert held(folder) == {"layer": LARGE}


def test_dld_12_416_that_never_ends_is_an_error(way: Way, net: Network, folder: Path) -> None:
    registry_at(net).on(blob_path(LARGE), answer(b"", "416 Range Not Satisfiable"))
    part_file(folder, DIGEST).write_bytes(LARGE[:HALF])

    refused(way.blob(DIGEST, folder / "layer", resume=True), errors.RegistryError, errors.ProtocolError)
    assert held(folder)["layer"] == BEFORE
