"""CVE-2019-20916, CVE-2026-13346: pip

A response header chose the file name of a download, and a URL that was decoded once too often led to another path.

Only the caller chooses file names, and URLs are requested as they are written.

CLI-07
"""

from pathlib import Path

import pytest

from tests.advisories.scenes import files_below
from tests.faultserver import Network, answer, redirect
from tests.hostile.registry import BLOB, LAYER, LAYER_DIGEST, registry_at
from tests.hostile.ways import Way


@pytest.mark.parametrize("name", ["../../evil", "/etc/evil", "%2e%2e%2fevil"])
def test_a_header_names_no_file(way: Way, net: Network, tmp_path: Path, name: str) -> None:
    said = (f'Content-Disposition: attachment; filename="{name}"', f"Content-Location: /{name}")
    registry_at(net).on(BLOB, answer(LAYER, "200 OK", *said))
    before = files_below(tmp_path)

    assert way.blob(LAYER_DIGEST, tmp_path / "layer").error is None
    assert files_below(tmp_path) - before - {"net/authority.pem"} == {"layer"}


@pytest.mark.parametrize("target", ["/x/%252e%252e%252flayer", "/x/%2e%2e%2flayer?a=%2526", "/a%20b;c=d?sig=%2F%2b+"])
def test_an_address_is_asked_for_as_it_was_written(library_way: Way, net: Network, tmp_path: Path, target: str) -> None:
    registry_at(net).on(BLOB, redirect(f"https://cdn.test{target}"))
    cdn = net.host("cdn.test").on("*", answer(LAYER))

    assert library_way.blob(LAYER_DIGEST, tmp_path / "layer").error is None
    assert [heard.target for heard in cdn.requests] == [target]
