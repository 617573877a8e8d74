"""CVE-2024-35195, CVE-2021-28363: requests, urllib3

After one request without certificate checks, later requests were not checked either. The certificate of a proxy was not
checked at all.

Every origin has its own connections with its own settings. Connections through a proxy are checked like all others.

TRN-18
"""

from pathlib import Path

import pytest
import trustme

from dreg_client import Registry, errors
from tests.advisories.scenes import fails, luring
from tests.faultserver import Network, answer
from tests.faultserver.network import shown as certificate
from tests.hostile.registry import LAYER, LAYER_DIGEST, registry_at
from tests.hostile.ways import Way, refused

STRANGER = trustme.CA()


def test_what_goes_unchecked_once_is_checked_the_next_time(library_way: Way, net: Network) -> None:
    registry = registry_at(net, certificate=certificate("registry.test", ca=STRANGER))
    library_way.options["insecure"] = True
    assert library_way.tags().error is None
    with Registry("https://registry.test", insecure=True, retries=0) as opened:
        opened.repository("acme/web").tags()
        count = len(registry.requests)
        with Registry("https://registry.test", retries=0) as careful:
            fails(errors.TLSError, lambda: careful.repository("acme/web").tags())
    library_way.options["insecure"] = False
    refused(library_way.tags(), errors.TLSError)
    assert len(registry.requests) == count


@pytest.mark.parametrize("insecure", [False, True])
def test_behind_a_proxy_each_host_is_checked_by_its_own_rule(
    library_way: Way, net: Network, tmp_path: Path, insecure: bool
) -> None:
    luring(net, "https://cdn.test/layer")
    cdn = net.host("cdn.test", certificate=certificate("cdn.test", ca=STRANGER)).on("/layer", answer(LAYER))
    proxy = net.proxy()
    library_way.credentials = ("ada", "x")
    library_way.options |= {"proxy": "http://proxy.test:3128", "insecure": insecure}

    refused(library_way.blob(LAYER_DIGEST, tmp_path / "layer"), errors.TLSError)
    assert "CONNECT cdn.test:443" in proxy.asked
    assert not cdn.requests
