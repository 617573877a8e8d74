"""Confirm changes: a change has succeeded if its status is the specified one, or if a HEAD confirms it.

Proxies, login pages and broken registries respond to any request with 200, and change nothing.
"""

from typing import Final

from dreg_client import errors
from dreg_client.protocol.error_responses import CHECK_ADDRESS, place_of
from dreg_client.protocol.messages import Request, Response

_SPECIFIED: Final = {"PUT": 201, "DELETE": 202}  # distribution-spec "Pushing Manifests", "Content Management"
_DONE: Final = {"PUT": "written", "DELETE": "deleted"}


def is_specified(response: Response, request: Request) -> bool:
    """Return whether a successful response has the status that is specified for such a change."""
    return response.status == _SPECIFIED[request.method]


def unconfirmed(response: Response, request: Request, found: str | errors.DregError) -> errors.ProtocolError:
    """Return the error for a change that neither its status nor a HEAD confirms; `found` is the result of the HEAD."""
    expected = _SPECIFIED[request.method]
    reason = f"{request.what} was not {_DONE[request.method]}: {request.method} returned status {response.status} "
    reason += f"instead of {expected}, and HEAD does not confirm the change ({found})"
    return errors.ProtocolError(f"{reason}; {CHECK_ADDRESS}", place_of(response))
