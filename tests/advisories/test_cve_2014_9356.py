"""CVE-2014-9356, CVE-2014-9357, CVE-2014-9358, CVE-2021-21285: docker

Ids and links in an archive were used as file paths, and a malformed manifest crashed the program.

Names have types that cannot hold a path. A malformed document raises an error of dreg-client and never causes a crash.

MDL-09
"""

import json
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from dreg_client import DockerArchive, errors
from tests.advisories.scenes import fails
from tests.faultserver import Network
from tests.hostile.registry import MANIFESTS, document, registry_at
from tests.hostile.ways import Way, refused

CONFIG = b'{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}'


@pytest.mark.parametrize("place", ["../outside.json", "x/../../outside.json", "/etc/passwd", "x\0", "link"])
def test_an_archive_names_no_path_outside_of_it(tarred: Callable[..., Path], tmp_path: Path, place: str) -> None:
    (tmp_path / "outside.json").write_bytes(CONFIG)
    link = tarfile.TarInfo("link")
    link.type, link.linkname = tarfile.SYMTYPE, "../outside.json"
    path = tarred(("manifest.json", json.dumps([{"Config": place, "RepoTags": ["a:1"], "Layers": []}]).encode()), link)

    def read() -> None:
        with DockerArchive(path) as archive:
            archive.get_image("a:1").get_platform_images()

    said = fails(errors.DregError, read)
    assert str(tmp_path / "outside") not in said


@pytest.mark.parametrize(
    "raw", [b"{}", b"null", b"[]", b'{"schemaVersion":2,"layers":[null],"config":null}', b"\xff", b""]
)
def test_a_malformed_manifest_is_an_error_of_ours(library_way: Way, net: Network, raw: bytes) -> None:
    registry_at(net).on(f"{MANIFESTS}/1.4", document(raw))

    refused(library_way.manifest("1.4"), errors.DocumentError)
