"""CVE-2014-8178, CVE-2024-24557: docker, moby's classic builder

A cache identified content by a name that the author of the content could choose, so it could return other content.

Stored content is found by its digest only, and is hashed again whenever it is read.

LAY-07
"""

from pathlib import Path
from typing import TYPE_CHECKING

from dreg_client import Digest, errors
from dreg_client.files.partial_file import kept_part
from tests.advisories.scenes import fails
from tests.faultserver import Network
from tests.hostile.registry import LAYER, LAYER_DIGEST, registry_at
from tests.hostile.ways import Way

if TYPE_CHECKING:
    from tests.layout.conftest import LayoutBuilder


def test_what_lies_in_a_layout_under_a_digest_is_hashed(build: "LayoutBuilder") -> None:
    entry, poisoned = build.tag("1.4", build.image()), build.image("linux/arm64")
    build.file(entry).write_bytes(build.file(poisoned).read_bytes())
    layout = build.layout()

    for ask in (layout.get_manifest, layout.get_image):
        fails(errors.IntegrityError, lambda ask=ask: ask("1.4"))  # type: ignore[misc]
    fails(errors.IntegrityError, lambda: layout.get_blob(Digest(entry["digest"])))


def test_what_an_earlier_download_left_is_hashed(library_way: Way, net: Network, tmp_path: Path) -> None:
    registry_at(net)
    part = kept_part(tmp_path / "layer", LAYER_DIGEST)
    part.write_bytes(b"poisoned" + LAYER[8:500])

    assert library_way.blob(LAYER_DIGEST, tmp_path / "layer", resume=True).error is None
    assert (tmp_path / "layer").read_bytes() == LAYER
