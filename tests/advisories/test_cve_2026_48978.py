"""CVE-2026-48978, CVE-2026-33540, CVE-2026-24845, CVE-2026-33990: oras-go, distribution, malcontent, Docker Model
Runner

The client contacted any token server that a challenge named, and sent the credential or reached internal hosts.

The scheme, host and address of a token server are checked before it is contacted. A credential is only sent to the
registry's own token server.

AUT-01, AUT-02, AUT-03
"""

from pathlib import Path

import pytest

from dreg_client import errors
from tests.advisories.scenes import guarded, listening, shown
from tests.faultserver import Network
from tests.hostile.ways import Way, refused


@pytest.mark.parametrize(
    ("realm", "error"),
    [
        ("https://tokens.elsewhere.test/token", errors.CrossOriginError),
        ("https://registry.test.elsewhere.test/token", errors.CrossOriginError),
        ("http://registry.test/token", errors.InsecureDowngradeError),
        ("https://169.254.169.254/token", errors.BlockedAddressError),
        ("https://near.test/token", errors.UnsafeURLError),
    ],
)
def test_a_credential_goes_to_the_registry_s_own_token_server(
    library_way: Way, net: Network, realm: str, error: type[errors.DregError]
) -> None:
    guarded(net, realm)
    hosts = [listening(net, name) for name in ("tokens.elsewhere.test", "registry.test.elsewhere.test")]
    hosts += [
        listening(net, "registry.test", scheme="http"),
        listening(net, "metadata.test", address="169.254.169.254"),
    ]
    hosts += [listening(net, "near.test", address="10.0.0.7")]

    refused(shown(library_way).tags(), error)
    assert not any(host.requests for host in hosts)


def test_on_the_command_line_too(net: Network) -> None:
    guarded(net, "https://tokens.elsewhere.test/token")
    elsewhere = listening(net, "tokens.elsewhere.test")

    refused(shown(Way("command line", net)).tags(), errors.CrossOriginError)
    assert not elsewhere.requests


def test_nobody_is_led_into_a_private_network_without_a_credential_either(
    library_way: Way, net: Network, tmp_path: Path
) -> None:
    guarded(net, "https://near.test/token?path=/latest/meta-data")
    near = listening(net, "near.test", address="10.0.0.7")

    refused(library_way.tags(), errors.BlockedAddressError)
    assert not near.requests
