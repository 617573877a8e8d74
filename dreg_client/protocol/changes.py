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
    is_redirected = response.url != f"{response.registry}{request.target}"
    return response.status == _SPECIFIED[request.method] and not (is_page(response) or is_redirected)


def is_page(response: Response) -> bool:
    """Return whether a response is a web page, such as a login page, by its media type or its first character."""
    return essence(response.headers.get("content-type") or "") in PAGES or response.body.lstrip().startswith(b"<")


def is_absent(response: Response) -> bool:
    """Return whether a response proves that the registry does not have the requested content. A web page does not."""
    return response.status == 404 and not is_page(response)


def check_absence(response: Response, request: Request) -> None:
    """Raise ProtocolError if a web page states that there is no such content."""
    if response.status == 404 and is_page(response):
        reason = f"a web page, not the registry, states that there is no {request.what}"
        raise errors.ProtocolError(f"{reason}; {CHECK_ADDRESS}", place_of(response))


def unconfirmed(response: Response, request: Request, found: str | errors.DregError) -> errors.ProtocolError:
    """Return the error for a change that neither its status nor a HEAD confirms; `found` is the result of the HEAD."""
    expected = _SPECIFIED[request.method]
    returned = f"status {response.status} instead of {expected}"
    if response.status == expected:
        returned = f"a web page, or was redirected (to {response.where})"
    reason = f"{request.what} was not {_DONE[request.method]}: {request.method} returned {returned}, "
    reason += f"and the registry does not confirm the change ({found})"
    return errors.ProtocolError(f"{reason}; {CHECK_ADDRESS}", place_of(response))
