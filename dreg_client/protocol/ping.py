"""Whether there is a registry at all (distribution-spec "Determining Support")."""

from typing import Final

from dreg_client import errors
from dreg_client.protocol.error_responses import accept
from dreg_client.protocol.messages import Exchange, Request
from dreg_client.values.media_type import PAGES, essence

_NO_REGISTRY: Final = "it answers, but not as a registry does: check the address"


def ping() -> Exchange[None]:
    """Ask for `/v2/`; an empty body is a good one.

    Raises:
        NotFoundError: It is no registry.
        ProtocolError: A page for browsers came.
    """
    request = Request("GET", "/v2/", what="registry API (/v2/)")
    response = accept((yield request), request, _NO_REGISTRY)
    if essence(response.headers.get("content-type") or "") in PAGES:
        raise errors.ProtocolError(f"gives a page for browsers where a registry is due; {_NO_REGISTRY}", response.where)
