"""The network, the ways and the watch of the hostile cases; each advisory is replayed in them."""

from tests.credentials.conftest import helper, home
from tests.hostile.conftest import library_way, net, watch, way
from tests.layout.conftest import build, tarred

__all__ = ["build", "helper", "home", "library_way", "net", "tarred", "watch", "way"]
