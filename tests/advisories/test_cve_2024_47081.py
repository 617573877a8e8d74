"""CVE-2024-47081: requests

With a crafted URL, the password of another host was taken from `.netrc`.

dreg-client does not read `.netrc`.

TRN-27
"""

from pathlib import Path

import pytest

from dreg_client import errors
from tests.advisories.scenes import listening
from tests.faultserver import Network, challenge, redirect
from tests.hostile.registry import BLOB, LAYER_DIGEST, registry_at
from tests.hostile.secrets import PASSWORD, USER
from tests.hostile.ways import Way, refused


@pytest.fixture(autouse=True)
def netrc(net: Network, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = net.folder / ".netrc"
    lines = [f"machine {name} login {USER} password {PASSWORD}" for name in ("registry.test", "cdn.test")]
    file.write_text("\n".join([*lines, f"default login {USER} password {PASSWORD}", ""]))
    file.chmod(0o600)
    monkeypatch.setenv("HOME", str(net.folder))
    monkeypatch.setenv("NETRC", str(file))
    return file


def test_a_password_of_netrc_goes_nowhere(way: Way, net: Network, netrc: Path, tmp_path: Path) -> None:
    way.environment = {"NETRC": str(netrc)}
    registry = registry_at(net).on(BLOB, redirect("https://cdn.test/layer"))
    cdn = listening(net, "cdn.test")

    assert way.blob(LAYER_DIGEST, tmp_path / "layer").error is None
    assert not registry.secrets
    assert not cdn.secrets


def test_not_even_to_whoever_asks(library_way: Way, net: Network) -> None:
    registry = registry_at(net).on("/v2/*", challenge('Basic realm="r"'))

    refused(library_way.tags(), errors.UnauthorizedError)
    assert not registry.secrets
