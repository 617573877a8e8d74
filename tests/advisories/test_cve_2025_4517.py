"""CVE-2025-4517, CVE-2025-4330, CVE-2025-4138, CVE-2024-12718, CVE-2025-8869, CVE-2025-62518, GHSA-w476-p2h3-79g9,
CVE-2025-54368: CPython's tarfile, pip, tokio-tar, uv

Links, long names and sizes that occur twice made an archive mean different things to different programs, or wrote
outside the target directory.

Layers are not unpacked. In the archive of a layout, only regular files and links to them are read, by one parser that
rejects ambiguous archives.

LAY-18
"""

import tarfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from dreg_client import errors
from dreg_client._sync.layout import open_oci_archive
from dreg_client.files.tar import TarFiles
from tests.advisories.scenes import fails, files_below
from tests.layout.test_hostile_archives import block, extended, padded, record


def test_a_chain_of_links_to_a_long_name_refuses_the_archive(tarred: Callable[..., Path], tmp_path: Path) -> None:
    long = "d" * 247
    members = []
    for step in "abcdefgh":
        link = tarfile.TarInfo(f"{long}/{step}")
        link.type, link.linkname = tarfile.SYMTYPE, long
        members.append(link)
    out = tarfile.TarInfo("escape")
    out.type, out.linkname = tarfile.SYMTYPE, "/".join([long] * 16) + "/../" * 20 + "evil"
    members += [out]
    before = files_below(tmp_path)

    for more, error in (([], errors.UnsafePathError), ([("escape", b"evil")], errors.LayoutCorruptError)):
        path = tarred(("oci-layout", b'{"imageLayoutVersion":"1.0.0"}'), *members, *more)
        fails(error, lambda path=path: open_oci_archive(path))
        path.unlink()
    assert files_below(tmp_path) == before


@pytest.mark.parametrize(("first", "second"), [(b"%011o\0" % 0, 1536), (b"%011o\0" % 1536, 0)])
def test_a_size_that_is_said_twice_hides_no_members(tmp_path: Path, first: bytes, second: int) -> None:
    """Of two sizes the pax one counts, for all readers: what is inside of a member is none."""
    inner = block(b"hidden", size=b"%011o\0" % 6) + padded(b"hidden") + bytes(512)
    path = tmp_path / "twice.tar"
    path.write_bytes(extended(b"x", record("size", str(second))) + block(b"outer", size=first) + inner + bytes(1024))

    with closing(TarFiles(path)) as files:
        names = ["hidden" if second == 0 else "outer"]
        assert [name for name in ("outer", "hidden") if _has(files, name)] == (
            ["outer", "hidden"] if second == 0 else names
        )


def _has(files: TarFiles, name: str) -> bool:
    try:
        files.open(name).close()
    except FileNotFoundError:
        return False
    return True


def test_a_zip_is_no_archive_of_ours(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    path.write_bytes(b"PK\x03\x04" + bytes(600))

    fails(errors.LayoutCorruptError, lambda: open_oci_archive(path))
