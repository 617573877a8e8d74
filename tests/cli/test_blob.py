"""`dreg blob`: proven bytes, in a file whole or not at all."""

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.raw_server import speaking
from tests.transport import pieces
from tests.transport.pieces import Server, ranges

Run = Callable[..., Any]
MULTI = "oci:fixtures/layouts/multi"
DIGEST = "sha256:79aa310da7d4b7f13fa37b6bb09d075a05d6618e288a8450772fda3d4643ffc3"


@pytest.fixture(scope="module")
def layer(fixtures: Path) -> bytes:
    return (fixtures / "layouts/multi/blobs" / DIGEST.replace(":", "/")).read_bytes()


@pytest.fixture(scope="module")
def flipped(fixtures: Path) -> list[str]:
    """A blob whose bytes are not those of its digest."""
    layout = fixtures / "layouts/broken/flipped-byte"
    from dreg_client import Digest

    for path in sorted((layout / "blobs/sha256").iterdir()):
        if Digest.of(path.read_bytes()).encoded != path.name:
            return [f"oci:{layout}", f"sha256:{path.name}"]
    pytest.fail("no blob is flipped")


@pytest.mark.parametrize("source", [[MULTI, DIGEST], [f"{MULTI}@{DIGEST}"]])
def test_a_blob_goes_to_standard_output(dreg: Run, layer: bytes, source: list[str]) -> None:
    assert os.fsencode(dreg("blob", *source).out) == layer


def test_a_blob_goes_to_a_file(said: Run, layer: bytes, tmp_path: Path) -> None:
    umask = os.umask(0o027)
    try:
        done = said("blob", MULTI, DIGEST, "-o", tmp_path / "layer")
    finally:
        os.umask(umask)

    assert (done.code, done.out, done.err) == (0, "", "")
    assert (tmp_path / "layer").read_bytes() == layer
    assert stat.S_IMODE((tmp_path / "layer").stat().st_mode) == 0o640
    assert len(list(tmp_path.iterdir())) == 1


def test_a_large_blob_comes_by_several_connections(said: Run, tmp_path: Path) -> None:
    with speaking(Server()) as server:
        source = f"localhost:{server.port}/acme/web@{pieces.DIGEST}"
        done = said("blob", source, "--anonymous", "--connections", "4", "-o", tmp_path / "layer")

    assert (done.code, done.out, done.err) == (0, "", "")
    assert (tmp_path / "layer").read_bytes() == pieces.BLOB
    assert sorted(ranges(server)) == sorted(pieces.PIECES)


def test_a_layout_has_no_connections_and_takes_the_option(said: Run, layer: bytes, tmp_path: Path) -> None:
    assert said("blob", MULTI, DIGEST, "--connections", "4", "-o", tmp_path / "layer").code == 0
    assert (tmp_path / "layer").read_bytes() == layer
    assert said("blob", MULTI, DIGEST, "--connections", "0", "-o", tmp_path / "layer").code == 2


def test_bytes_that_are_not_those_of_the_digest_leave_what_was_there(
    said: Run, flipped: list[str], tmp_path: Path
) -> None:
    (tmp_path / "layer").write_bytes(b"what was there")
    done = said("blob", *flipped, "-o", tmp_path / "layer")

    assert done.code == 5
    assert (tmp_path / "layer").read_bytes() == b"what was there"
    assert len(list(tmp_path.iterdir())) == 1


def test_bytes_on_standard_output_are_disowned_by_the_exit_code(dreg: Run, flipped: list[str]) -> None:
    done = dreg("blob", *flipped)

    assert (done.code, done.out) == (5, "")
    assert "digest is sha256:" in done.err
    assert "used" not in done.err


def test_the_end_of_what_is_not_the_blob_never_comes_and_the_rest_is_disowned(dreg: Run, tmp_path: Path) -> None:
    blob = tmp_path / "blobs/sha256" / ("1" * 64)
    blob.parent.mkdir(parents=True)
    blob.write_bytes(b"x" * 3_000_000)
    (tmp_path / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
    (tmp_path / "index.json").write_text('{"schemaVersion":2,"manifests":[]}')
    done = dreg("blob", f"oci:{tmp_path}", f"sha256:{blob.name}")

    assert done.code == 5
    assert 0 < len(done.out) < 3_000_000
    assert "dreg: the output is incomplete and not verified; do not use it" in done.err


@pytest.mark.parametrize("target", ["no/such/folder/layer", "."])
def test_a_file_that_cannot_be_written_is_an_error(said: Run, tmp_path: Path, target: str) -> None:
    done = said("blob", MULTI, DIGEST, "-o", tmp_path / target)

    assert done.code == 5
    assert "cannot be written" in done.err
    assert list(tmp_path.iterdir()) == []


def test_a_link_is_followed_to_its_file(said: Run, layer: bytes, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "layer")

    assert said("blob", MULTI, DIGEST, "-o", tmp_path / "link").code == 0
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "layer").read_bytes() == layer


def test_a_device_stays_one(dreg: Run, layer: bytes) -> None:
    assert dreg("blob", MULTI, DIGEST, "-o", "/dev/null").code == 0
    assert Path("/dev/null").is_char_device()


@pytest.mark.parametrize("name", [b"\xff" * 255, "ü".encode() * 127])
def test_a_name_may_be_as_long_as_a_name_can_be(dreg: Run, layer: bytes, tmp_path: Path, name: bytes) -> None:
    assert dreg("blob", MULTI, DIGEST, "-o", os.fsencode(tmp_path) + b"/" + name).code == 0
    assert (tmp_path / os.fsdecode(name)).read_bytes() == layer


@pytest.mark.parametrize("options", [["--resume"], ["--connections", "4"]], ids=" ".join)
def test_options_of_a_download_to_a_file_require_the_file(said: Run, options: list[str]) -> None:
    done = said("blob", MULTI, DIGEST, *options)

    assert (done.code, done.out) == (2, "")
    assert f"{options[0]} requires -o FILE" in done.err


def test_a_blob_needs_its_digest(said: Run) -> None:
    done = said("blob", MULTI)

    assert done.code == 2
    assert "missing digest" in done.err
