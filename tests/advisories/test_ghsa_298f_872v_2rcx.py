"""GHSA-298f-872v-2rcx, GHSA-h7vf-4x9w-h99v: oras-go

The client followed the links to the next page of a list without a limit and to any URL, such as in a loop or to
internal hosts.

The next page is requested only from the origin of the registry. The number of pages is limited, and no page is
requested twice.

DLD-22
"""

import pytest

from dreg_client import errors
from tests.advisories.scenes import listening
from tests.faultserver import Network, answer, sentence
from tests.hostile.registry import TAGS, registry_at
from tests.hostile.ways import Way, refused


def page(link: str) -> bytes:
    return answer(sentence({"tags": ["1"]}), "200 OK", f'Link: <{link}>; rel="next"')


def test_a_list_that_goes_in_a_circle_ends(way: Way, net: Network) -> None:
    registry = registry_at(net).on(TAGS, page(f"{TAGS}?last=1"), page(f"{TAGS}?last=2"), page(f"{TAGS}?last=1"))

    refused(way.tags(), errors.TooManyPagesError)
    assert len(registry.requests) <= 4


def test_a_list_that_always_goes_on_ends(library_way: Way, net: Network) -> None:
    registry = registry_at(net)
    registry.on(TAGS, lambda heard: page(f"{TAGS}?last={len(registry.requests)}"))

    refused(library_way.tags(), errors.TooManyPagesError)
    assert len(registry.requests) <= 1001


@pytest.mark.parametrize(
    ("link", "error"),
    [
        ("http://169.254.169.254/latest", errors.UnsafeURLError),
        ("https://near.test/x", errors.CrossOriginError),
        ("http://registry.test/x", errors.ProtocolError),  # its own place, but another list
    ],
)
def test_a_list_does_not_lead_into_our_network(
    library_way: Way, net: Network, link: str, error: type[errors.DregError]
) -> None:
    registry_at(net).on(TAGS, page(link))
    near = [listening(net, "near.test", address="169.254.169.254"), listening(net, "registry.test", scheme="http")]

    refused(library_way.tags(), error)
    assert not any(host.requests for host in near)
