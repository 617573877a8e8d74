"""CVE-2019-11236, CVE-2020-26137, CVE-2021-41945: urllib3, httpx

A line feed in a URL, a method or a host started a new header or a new request.

Text with a control character, from a caller or a registry, is never used in a request.

REF-04
"""

from typing import Any

import pytest

from dreg_client import Credential, Registry, errors
from tests.advisories.scenes import asked, fails
from tests.faultserver import Network, answer, challenge, sentence
from tests.hostile.registry import TAGS, registry_at
from tests.hostile.ways import Way, refused

EVIL = "x\r\nX-Evil: 1"


def test_no_name_of_a_caller_brings_a_line_along(library_way: Way, net: Network) -> None:
    registry = registry_at(net)
    for action in (
        lambda it: it.get_manifest(EVIL),
        lambda it: it.tag("1.4", EVIL),
        lambda it: it.get_blob(f"sha256:{EVIL}"),
        lambda it: it.referrers(f"sha256:{EVIL}"),
    ):
        refused(asked(library_way, action), errors.InvalidReferenceError, errors.InvalidDigestError)
    library_way.repository = EVIL
    refused(library_way.tags(), errors.InvalidReferenceError)
    assert not registry.requests


@pytest.mark.parametrize("options", [{"user_agent": EVIL}, {"mirrors": (f"https://{EVIL}",)}])
def test_no_option_does(options: dict[str, Any]) -> None:
    with pytest.raises((ValueError, errors.DregError)):
        Registry("https://registry.test", **options)
    fails(errors.InvalidReferenceError, lambda: Registry(f"https://registry.test/{EVIL}"))
    with pytest.raises((ValueError, errors.DregError)):
        Credential("ada", EVIL)


@pytest.mark.parametrize("token", [EVIL, "x\ny", "x\0", "x y\x7f", "é"])
def test_no_token_does(library_way: Way, net: Network, token: str) -> None:
    registry = registry_at(net).on(TAGS, challenge('Bearer realm="https://registry.test/token",service="s"'))
    registry.on("/token", answer(sentence({"token": token}), "200 OK", "Content-Type: application/json"))

    refused(library_way.tags(), errors.TokenError)
    assert b"X-Evil" not in registry.octets
    assert not registry.secrets
