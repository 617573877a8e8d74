"""CVE-2020-8492, CVE-2021-3733: CPython

The regular expression that parsed an authentication challenge backtracked catastrophically on repeated commas.

A challenge is parsed character by character, in one pass, and its length is limited.

AUT-07
"""

import pytest

from dreg_client import errors
from tests.faultserver import Network, challenge
from tests.hostile.registry import registry_at
from tests.hostile.ways import Way, refused


@pytest.mark.parametrize("filler", [",", " ,", "\t", '"', "\\", "=", "a=,", 'a="'])
def test_a_challenge_of_nonsense_takes_no_time(library_way: Way, net: Network, filler: str) -> None:
    registry = registry_at(net).on("/v2/*", challenge("Basic " + filler * (8000 // len(filler))))

    refused(library_way.tags(), errors.ChallengeError, errors.UnauthorizedError)
    assert len(registry.requests) == 1


def test_a_challenge_without_measure_is_not_read(way: Way, net: Network) -> None:
    registry = registry_at(net).on("/v2/*", challenge("Basic " + "," * 60_000))

    refused(way.tags(), errors.ChallengeError, errors.ProtocolError)
    assert len(registry.requests) == 1
