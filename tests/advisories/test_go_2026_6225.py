"""GO-2026-6225: docker-credential-acr-env

An unanchored regular expression accepted another host as the registry and revealed the credential.

Host names are compared as a whole.

AUT-26
"""

import json

import pytest

from dreg_client import Registry, errors
from dreg_client.credentials.lookup import Credentials
from tests.advisories.scenes import BASIC, guarded, listening
from tests.faultserver import Network, challenge
from tests.hostile.registry import registry_at

LIKE = [
    "registry.azure.test.evil.test",
    "evilregistry.azure.test",
    "sub.registry.azure.test",
    "registry.azure.test.evil",
]


@pytest.mark.parametrize("name", LIKE)
def test_a_name_that_is_only_alike_gets_nothing(net: Network, name: str) -> None:
    stranger = registry_at(net, name).on("/v2/*", challenge('Basic realm="x"'))

    assert isinstance(_asked(net, name), errors.UnauthorizedError)
    assert stranger.requests
    assert not stranger.secrets


@pytest.mark.parametrize("name", LIKE[:2])
def test_neither_does_a_token_server_of_such_a_name(net: Network, name: str) -> None:
    guarded(net, f"https://{name}/token", "registry.azure.test")
    stranger = listening(net, name)
    failure = _asked(net, "registry.azure.test")

    assert isinstance(failure, errors.CrossOriginError) != name.endswith(".azure.test")
    assert bool(stranger.secrets) == name.endswith(".azure.test"), "a neighbour is the registry's own (D-15)"


def _asked(net: Network, name: str) -> errors.DregError | None:
    auths = {"auths": {"registry.azure.test": {"auth": BASIC.removeprefix("Basic ")}}}
    credentials = Credentials(environment={"DOCKER_AUTH_CONFIG": json.dumps(auths), "HOME": str(net.folder)})
    options = {"credentials": credentials, "ca_file": str(net.ca_file), "retries": 0}
    with Registry(f"https://{name}", **options) as registry:  # type: ignore[arg-type]
        try:
            registry.repository("acme/web").tags()
        except errors.DregError as failure:
            return failure
    return None
