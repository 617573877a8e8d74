"""Confirm changes: a change has succeeded if its status is the specified one, or if a HEAD confirms it.

Proxies, login pages and broken registries respond to any request with 200, and change nothing.
"""

from typing import Final

from dreg_client import errors
from dreg_client.protocol.error_responses import CHECK_ADDRESS, place_of
from dreg_client.protocol.messages import Request, Response
from dreg_client.values.media_type import PAGES, essence

_SPECIFIED: Final = {"PUT": 201, "DELETE": 202}  # distribution-spec "Pushing Manifests", "Content Management"
_DONE: Final = {"PUT": "written", "DELETE": "deleted"}


def is_specified(response: Response, request: Request) -> bool:
    """Return whether a response has the specified status of such a change, and is what the request itself returned.

    A redirect may lead to a login page, which may have any status.
    """
    is_page = essence(response.headers.get("content-type") or "") in PAGES
    is_redirected = response.url != f"{response.registry}{request.target}"
    return response.status == _SPECIFIED[request.method] and not (is_page or is_redirected)


def unconfirmed(response: Response, request: Request, found: str | errors.DregError) -> errors.ProtocolError:
    """Return the error for a change that neither its status nor a HEAD confirms; `found` is the result of the HEAD."""
    expected = _SPECIFIED[request.method]
    returned = f"status {response.status} instead of {expected}"
    if response.status == expected:
        returned = f"a web page, or was redirected (to {response.where})"
    reason = f"{request.what} was not {_DONE[request.method]}: {request.method} returned {returned}, "
    reason += f"and the registry does not confirm the change ({found})"
    return errors.ProtocolError(f"{reason}; {CHECK_ADDRESS}", place_of(response))
