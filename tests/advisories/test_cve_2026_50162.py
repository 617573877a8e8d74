"""CVE-2026-50162, CVE-2026-50163, GHSA-m37j-52j7-pjw7, GHSA-8xwf-rjm4-xvhv: oras-go

Links in an archive led out of the directory that it was unpacked to. Hard links were resolved in the working directory
of the process.

dreg-client never creates links from data of a registry or an archive, and never follows a link that leads outside.

LAY-18
"""

import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from dreg_client import DockerArchive, errors
from dreg_client._sync.layout import open_oci_archive
from tests.advisories.scenes import fails, files_below


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE])
@pytest.mark.parametrize("target", ["secret", "../secret", "/etc/passwd", "."])
def test_a_link_leads_nowhere(
    tarred: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: bytes, target: str
) -> None:
    (tmp_path / "secret").write_bytes(b"{}")
    monkeypatch.chdir(tmp_path)
    links = [tarfile.TarInfo("index.json"), tarfile.TarInfo("manifest.json")]
    for link in links:
        link.type, link.linkname = kind, target
    path = tarred(("oci-layout", b'{"imageLayoutVersion":"1.0.0"}'), *links)
    before = files_below(tmp_path)

    fails(errors.UnsafePathError, lambda: open_oci_archive(path))
    fails(errors.LayoutError, lambda: DockerArchive(path))
    assert files_below(tmp_path) == before
    assert (tmp_path / "secret").stat().st_nlink == 1
