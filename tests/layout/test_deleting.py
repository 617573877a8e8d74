"""What a layout has is deleted: tags, manifests, blobs, and what no image needs."""

from pathlib import Path

import pytest

from dreg_client import Layout, validate_layout
from dreg_client._sync.layout import open_oci_archive
from dreg_client.errors import ConflictError, LayoutCorruptError, NotFoundError, UnsupportedError
from tests.commands import run_limited
from tests.layout.conftest import LayoutBuilder, build
from tests.layout.writing import WAYS, Writer, sha256

__all__ = ["build"]
ABSENT = "sha256:" + "0" * 64


@pytest.fixture(params=WAYS)
def writer(request: pytest.FixtureRequest, tmp_path: Path) -> Writer:
    """An empty layout, and a way to write it."""
    return Writer(request.param, tmp_path / "new/layout")


def test_untag_leaves_the_other_tags(writer: Writer) -> None:
    digest = writer.image("1.4")
    writer.tag("1.4", "latest")
    writer.untag("1.4")

    assert writer.entries() == [(digest, "latest")]
    writer.delete_tag("latest")
    assert writer.entries() == []
    assert writer.check_manifest(digest) == digest


def test_what_is_not_there_cannot_be_deleted(writer: Writer) -> None:
    writer.image("1.4")

    with pytest.raises(NotFoundError, match=r'has no tag "1\.5"; available: 1\.4'):
        writer.untag("1.5")
    with pytest.raises(NotFoundError):
        writer.delete_manifest(ABSENT)
    with pytest.raises(NotFoundError):
        writer.delete_blob(ABSENT)


def test_a_manifest_is_deleted_with_its_tags(writer: Writer) -> None:
    digest, other = writer.image("1.4"), writer.image("other", (b"other",))
    writer.tag("1.4", "latest")
    writer.delete_manifest(digest)

    assert writer.entries() == [(other, "other")]
    assert writer.check_manifest(digest) is None


def test_a_blob_that_a_manifest_names_is_not_deleted(writer: Writer) -> None:
    digest = writer.image("1.4")

    with pytest.raises(ConflictError, match=f"because {digest} names it"):
        writer.delete_blob(sha256(b"layer"))
    writer.push_blob(b"other")
    writer.delete_blob(sha256(b"other"))
    assert not writer.has_blob(sha256(b"other"))


def test_gc_stops_at_a_damaged_manifest(writer: Writer) -> None:
    digest = writer.image("1.4")
    writer.push_blob(b"unneeded")
    writer.file(digest).write_bytes(writer.file(digest).read_bytes() + b" ")
    before = writer.files()

    with pytest.raises(LayoutCorruptError, match="its bytes do not match its digest"):
        writer.gc()
    assert writer.files() == before


def test_an_archive_cannot_be_changed(build: LayoutBuilder, tmp_path: Path) -> None:
    build.tag("1.4", build.image())
    run_limited(["tar", "-C", build.write(), "-cf", tmp_path / "web.tar", "."], check=True)

    with open_oci_archive(tmp_path / "web.tar") as layout, pytest.raises(UnsupportedError, match="cannot be changed"):
        layout.untag("1.4")


def test_a_signature_that_loses_its_tag_is_still_found(writer: Writer) -> None:
    image = writer.image("1.4")
    signature = writer.image("signature", subject=writer.described(image))
    writer.untag("signature")

    assert writer.entries() == [(image, "1.4"), (signature, None)]
    assert [it.digest for it in writer.referrers(image)] == [signature]


def test_the_temporary_file_of_a_killed_writer_is_reported_until_gc_deletes_it(tmp_path: Path) -> None:
    layout = Layout.create(tmp_path / "layout")
    layout.push_blob(b"unneeded")
    (tmp_path / "layout/blobs/sha256/.abc.0123456789abcdef.part").touch()

    found = [problem for report in validate_layout(layout) for problem in report.report.problems]
    assert [problem.rule for problem in found if "which dreg gc deletes" in problem.expected] == ["LYT-10"]
    layout.gc()
    assert not [problem for report in validate_layout(layout) for problem in report.report.problems]
