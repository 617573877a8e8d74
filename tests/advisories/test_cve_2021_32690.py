"""CVE-2021-32690, CVE-2022-23538, CVE-2024-35192: Helm, scs-library-client, trivy

A credential for one server was also sent to another server that the first one named in its responses.

The headers of every request are built from scratch. The next page of a list is requested from the registry only, and a
mirror never receives the credentials of the registry.

TRN-01, DLD-22
"""

from pathlib import Path

from dreg_client import errors
from tests.advisories.scenes import OURS, listening, luring, shown
from tests.faultserver import Network, answer, challenge, sentence
from tests.hostile.registry import LAYER_DIGEST, TAGS, registry_at
from tests.hostile.ways import Way, refused


def test_a_file_that_is_elsewhere_is_fetched_without(way: Way, net: Network, tmp_path: Path) -> None:
    luring(net, "https://charts.test/layer", 302)
    elsewhere = listening(net, "charts.test")

    assert shown(way).blob(LAYER_DIGEST, tmp_path / "layer").error is None
    assert {name for name, _ in elsewhere.requests[0].headers} <= OURS


def test_a_list_does_not_go_on_elsewhere(library_way: Way, net: Network) -> None:
    page = answer(sentence({"tags": ["1"]}), "200 OK", 'Link: <https://charts.test/v2/acme/web/tags/list>; rel="next"')
    registry_at(net).on(TAGS, challenge("Basic"), page)
    elsewhere = listening(net, "charts.test")

    refused(shown(library_way).tags(), errors.CrossOriginError)
    assert not elsewhere.requests


def test_a_mirror_is_a_stranger(library_way: Way, net: Network, tmp_path: Path) -> None:
    registry_at(net).on("/v2/*", challenge("Basic"), answer(b"", "404 Not Found"))
    mirror = registry_at(net, "mirror.test").on("/v2/*", challenge('Basic realm="mirror"'))
    shown(library_way).options["mirrors"] = ("https://mirror.test",)

    library_way.manifest("1.4")
    library_way.blob(LAYER_DIGEST, tmp_path / "layer")
    assert mirror.requests
    assert not mirror.secrets
