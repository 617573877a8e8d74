"""CVE-2025-50181: urllib3

Redirects were followed although the program had disabled them.

No HTTP library follows redirects. dreg-client itself checks each redirect before it follows it.

TRN-09, TRN-04
"""

from pathlib import Path

import pytest

from dreg_client import errors
from tests.advisories.scenes import listening
from tests.faultserver import Network, redirect
from tests.hostile.registry import BLOB, LAYER_DIGEST, registry_at
from tests.hostile.ways import Way, refused


@pytest.mark.parametrize("http", ["httpx", "httpx2"])
def test_a_redirect_that_we_refuse_is_followed_by_nobody(
    library_way: Way, net: Network, tmp_path: Path, http: str
) -> None:
    registry = registry_at(net).on(BLOB, redirect("https://near.test/layer"))
    near = listening(net, "near.test", address="127.0.0.1")
    library_way.options["http"] = http

    refused(library_way.blob(LAYER_DIGEST, tmp_path / "layer"), errors.BlockedAddressError)
    assert len(registry.requests) == 1
    assert not near.requests


@pytest.mark.parametrize("http", ["httpx", "httpx2"])
def test_a_circle_ends_where_we_say(library_way: Way, net: Network, tmp_path: Path, http: str) -> None:
    registry = registry_at(net).on(BLOB, redirect(BLOB))
    library_way.options["http"] = http

    refused(library_way.blob(LAYER_DIGEST, tmp_path / "layer"), errors.TooManyRedirectsError)
    assert len(registry.requests) == 11
