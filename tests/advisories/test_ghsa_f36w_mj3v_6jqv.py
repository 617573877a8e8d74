"""GHSA-f36w-mj3v-6jqv: oras-go

The client allocated as much memory as a descriptor claimed before any data arrived.

The size in a descriptor is not trusted. Memory is allocated only for received bytes, up to a limit.

MDL-08
"""

from pathlib import Path
from typing import Any

import pytest

from dreg_client import Descriptor, errors
from tests.advisories.scenes import asked, memory
from tests.faultserver import Network
from tests.hostile.registry import LAYER_DIGEST, registry_at
from tests.hostile.ways import Way, refused

LARGEST = (1 << 63) - 1


@pytest.mark.parametrize("size", [1 << 40, LARGEST])
def test_a_size_takes_no_memory(library_way: Way, net: Network, tmp_path: Path, size: int) -> None:
    registry_at(net)
    claim = Descriptor(mediaType="application/octet-stream", digest=LAYER_DIGEST, size=size)

    def download(repository: Any) -> Any:
        return repository.download_blob(claim, tmp_path / "layer")

    with memory(8 << 20):
        refused(asked(library_way, lambda it: it.get_blob(claim)), errors.ResponseTooLargeError)
        refused(asked(library_way, lambda it: it.get_blob(claim, limit=LARGEST)), errors.SizeMismatchError)
        refused(asked(library_way, download), errors.SizeMismatchError)
    assert not list(tmp_path.glob("*layer*"))
