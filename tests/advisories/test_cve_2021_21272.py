"""CVE-2021-21272, CVE-2024-24579, CVE-2021-29136, CVE-2025-62725, CVE-2026-35206, CVE-2026-47680, CVE-2024-9341: oras,
stereoscope, umoci, docker compose, helm, flux, containers/common

A title, an annotation or a member name chose where a file was written, outside the target directory.

Data is written only to the file that the caller names, or to files of a layout, which are named by digests.

CLI-07, LAY-18
"""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from dreg_client import Digest, errors
from dreg_client._sync.layout import open_oci_archive
from tests.advisories.scenes import fails, files_below
from tests.faultserver import Network
from tests.hostile.registry import LAYER_DIGEST, MANIFEST, MANIFESTS, document, registry_at
from tests.hostile.ways import Way

NAMES = ["../../evil", "/etc/evil", "a/../../evil", "..", "C:\\evil", "evil\0"]


@pytest.mark.parametrize("title", NAMES[:3])
def test_a_title_chooses_no_file(way: Way, net: Network, tmp_path: Path, title: str) -> None:
    tree = json.loads(MANIFEST)
    tree["layers"][0]["annotations"] = {"org.opencontainers.image.title": title}
    raw = json.dumps(tree).encode()
    registry_at(net).on(f"{MANIFESTS}/{Digest.of(raw)}", document(raw))
    folder = tmp_path / "deep/er"
    folder.mkdir(parents=True)
    before = files_below(tmp_path)

    assert way.manifest(str(Digest.of(raw))).error is None
    assert way.blob(LAYER_DIGEST, folder / "layer").error is None
    assert files_below(tmp_path) - before - {"net/authority.pem"} == {"deep/er/layer"}


@pytest.mark.parametrize("name", NAMES[:5])
def test_a_member_chooses_no_file(tarred: Callable[..., Path], tmp_path: Path, name: str) -> None:
    path = tarred(("oci-layout", b'{"imageLayoutVersion":"1.0.0"}'), (name, b"evil"))
    before = files_below(tmp_path)

    # A name that begins with `/` is one below the root of the archive, so this is an archive without an index.
    error = errors.LayoutCorruptError if name.startswith("/") else errors.UnsafePathError
    fails(error, lambda: open_oci_archive(path))
    assert files_below(tmp_path) == before
