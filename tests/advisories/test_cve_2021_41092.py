"""CVE-2021-41092: docker command line

If a configured credential helper could not be run, the credential of a private registry was sent to Docker Hub.

A credential is looked up for one host. A helper that cannot be run causes a warning, and no other credential is used.

AUT-21
"""

import json
from pathlib import Path

import pytest

from dreg_client import Registry, errors
from dreg_client.credentials.lookup import Credentials
from tests.advisories.scenes import BASIC
from tests.faultserver import Network, challenge
from tests.hostile.registry import registry_at
from tests.hostile.secrets import PASSWORD, USER
from tests.hostile.ways import Way, refused

AUTH = BASIC.removeprefix("Basic ")


@pytest.mark.parametrize("members", [{"credsStore": "gone"}, {"credHelpers": {"hub.test": "gone"}}])
def test_a_helper_that_cannot_be_run_gives_nobody_s_credential(
    net: Network, home: Path, helper: object, members: dict[str, object]
) -> None:
    hub = registry_at(net, "hub.test").on("/v2/*", challenge('Basic realm="hub"'))
    configuration = home / ".docker/config.json"
    configuration.parent.mkdir()
    configuration.write_text(json.dumps({"auths": {"private.test": {"auth": AUTH}}, **members}))
    configuration.chmod(0o600)

    options = {"credentials": Credentials.default(), "ca_file": str(net.ca_file), "retries": 0}
    opened = Registry("https://hub.test", **options)  # type: ignore[arg-type]
    with opened as registry, pytest.raises(errors.UnauthorizedError, match="docker-credential-gone"):
        registry.repository("acme/web").tags()
    assert hub.requests
    assert not hub.secrets


def test_on_the_command_line_too(net: Network) -> None:
    hub = registry_at(net, "hub.test").on("/v2/*", challenge('Basic realm="hub"'))
    file = net.folder / ".docker/config.json"
    file.parent.mkdir()
    entry = {"username": USER, "password": PASSWORD, "auth": AUTH}
    file.write_text(json.dumps({"auths": {"private.test": entry}, "credsStore": "gone"}))
    file.chmod(0o600)
    way = Way("command line", net, registry="hub.test")

    told = refused(way.tags(), errors.UnauthorizedError)
    assert "docker-credential-gone" in told.text
    assert hub.requests
    assert not hub.secrets
