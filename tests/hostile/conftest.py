"""A network, the ways, and the watch over secrets; it stands beside each test of this room."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faultserver import Network, network
from tests.faultserver.network import authority
from tests.hostile.downloads import BEFORE
from tests.hostile.secrets import Watch
from tests.hostile.ways import WAYS, Way


@pytest.fixture
def net(tmp_path: Path) -> Iterator[Network]:
    """A network in which only the hosts of the test are to be reached."""
    folder = tmp_path / "net"
    folder.mkdir()
    with network(folder) as up:
        yield up


@pytest.fixture(params=WAYS, ids=lambda name: name.replace(" ", "-"))
def way(request: pytest.FixtureRequest, net: Network) -> Way:
    """Each way to ask."""
    return Way(request.param, net)


@pytest.fixture(params=WAYS[:2])
def library_way(request: pytest.FixtureRequest, net: Network) -> Way:
    """The ways of the library, for what the command line has no words for."""
    return Way(request.param, net)


@pytest.fixture
def own_certificate(tmp_path: Path) -> tuple[str, str]:
    """A certificate of ours, and its key."""
    ours = authority().issue_cert("client.test")
    files = tmp_path / "client.pem", tmp_path / "client.key"
    ours.cert_chain_pems[0].write_to_path(str(files[0]))
    ours.private_key_pem.write_to_path(str(files[1]))
    return str(files[0]), str(files[1])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder in which the file is there already."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "layer").write_bytes(BEFORE)
    return tmp_path / "out"


@pytest.fixture(autouse=True)
def watch(
    request: pytest.FixtureRequest,
    capfd: pytest.CaptureFixture[str],
    recwarn: pytest.WarningsRecorder,
) -> Iterator[Watch]:
    """All loggers at DEBUG, standard output and error, warnings, and the command line: no secret may show up."""
    seen = Watch()
    root = logging.getLogger()
    level = root.level
    root.addHandler(seen)
    root.setLevel(logging.DEBUG)
    try:
        yield seen
    finally:
        root.removeHandler(seen)
        root.setLevel(level)
    seen.heard += [*capfd.readouterr(), *(str(warning.message) for warning in recwarn)]
    for way in request.node.funcargs.values():
        if isinstance(way, Way):
            seen.heard.append(way.said)
            for failure in way.failures:
                seen.see(failure)
    assert not seen.shown()
