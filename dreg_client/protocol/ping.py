"""Check whether there is a registry at all (distribution-spec "Determining Support")."""

from typing import Final

from dreg_client import errors
from dreg_client.protocol.error_responses import accept
from dreg_client.protocol.messages import Request, Response
from dreg_client.values.media_type import PAGES, essence

_NO_REGISTRY: Final = "it answers, but not as a registry does: check the address"


def ping_request() -> Request:
    """Return the request for `/v2/`."""
    return Request("GET", "/v2/", what="registry API (/v2/)")


def check_ping(response: Response, request: Request) -> None:
    """Check that the response to `/v2/` comes from a registry; an empty body is fine."""
    accept(response, request, _NO_REGISTRY)
    if essence(response.headers.get("content-type") or "") in PAGES:
        raise errors.ProtocolError(f"gives a page for browsers where a registry is due; {_NO_REGISTRY}", response.where)
