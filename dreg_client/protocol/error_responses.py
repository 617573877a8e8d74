"""Turn the status and body of an error response into an error (distribution-spec "Error Codes")."""

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, Final, NamedTuple

from dreg_client import errors
from dreg_client.protocol.messages import Request, Response
from dreg_client.protocol.redact import redacted
from dreg_client.protocol.retry import LACKS_BLOB, TRANSIENT, retry_after

_UNSUPPORTED: Final = frozenset({"UNSUPPORTED", "UNSUPPORTED_OPERATION"})
_LONGEST: Final = 1024
_REQUEST_IDS: Final = ("x-request-id", "x-amzn-requestid", "x-ms-correlation-request-id", "x-github-request-id")
_LOG_IN: Final = "pass credentials="
_ASK_OWNER: Final = "ask the owner for access, or use another credential"
CHECK: Final = "check"
CHECK_ADDRESS: Final = "check the URL, and any proxy in between"
_VERBS: Final = {
    "GET": "read",
    "HEAD": CHECK,
    "PUT": "write",
    "POST": "create",
    "PATCH": "write",
    "DELETE": "delete",
}
_GERUNDS: Final = {
    "read": "reading",
    CHECK: "checking for",
    "write": "writing",
    "create": "creating",
    "delete": "deleting",
}


def raise_for_status(response: Response, request: Request, advice: str = "", verb: str = "") -> Response:
    """Return a successful response; otherwise raise the RegistryError or UnauthorizedError that it means.

    Args:
        response: The response.
        request: The request.
        advice: What to do if the content does not exist, or the operation is not supported.
        verb: The operation for messages, if the method does not imply it.
    """
    if not response.ok:
        raise _error(response, request, advice, verb or _VERBS.get(request.method, request.method))
    return response


def raise_unless_content(
    response: Response, request: Request, advice: str = "", verb: str = "", *, is_range: bool = False
) -> Response:
    """Return a response with the whole content: 200, or also 206 with `is_range`. Otherwise raise its error.

    Other 2xx statuses, such as 204, would make an empty or partial body pass as the content.

    Raises:
        ProtocolError: The status is another one of success.
    """
    raise_for_status(response, request, advice, verb)
    if response.status == 200 or (is_range and response.status == 206):
        return response
    reason = f"unexpected status {response.status} for {_the(request)} (expected 200)"
    raise errors.ProtocolError(f"{reason}; {CHECK_ADDRESS}", response.where)


def with_attempts(response: Response, attempts: int) -> Response:
    """Return the last response to several attempts, with their number in `advice` if a later attempt may succeed."""
    if attempts > 1 and response.status in TRANSIENT:
        return replace(response, advice=f"gave up after {attempts} attempts")
    return response


def _error(
    response: Response, request: Request, advice: str, verb: str
) -> errors.RegistryError | errors.UnauthorizedError:
    report = reported(response)
    facts = response.status, report.lines, _request_id(response)
    where, the = place_of(response), _the(request)
    denied = f"access denied: cannot {'read' if verb == CHECK else verb} {the}"
    unsupported = f"{_GERUNDS.get(verb, verb)} {the} is not supported"
    if kind := _rejection(response, request, f"cannot {verb} {the}"):
        return kind(where, advice, *facts)
    if response.status in TRANSIENT:
        return _transient_error(response, the, verb, facts)
    match response.status:
        case 404:
            return errors.NotFoundError(request.what or request.target, where, advice, *facts)
        case 401:
            return errors.UnauthorizedError(denied, where, response.advice or _LOG_IN, *facts, response.anonymous)
        case 403:
            return errors.DeniedError(denied, where, response.advice or _ASK_OWNER, *facts, response.anonymous)
        case status if status == 405 or (report.is_unsupported and status < 500):
            return errors.UnsupportedError(unsupported, where, advice, *facts)
        case status if status >= 500:
            return _not_retryable(f"server error: cannot {verb} {the}", where, advice, *facts)
        case _:
            return errors.RegistryError(f"request rejected: cannot {verb} {the}", where, advice, *facts)


def _rejection(response: Response, request: Request, cannot: str) -> Callable[..., errors.RegistryError] | None:
    """Return the error for a change that will never be accepted, where the status alone does not say so."""
    if LACKS_BLOB in response.body and response.status >= 500:  # distribution 2.8
        what = f"request rejected: {cannot}: this registry accepts a manifest only with all its blobs"
        return partial(_not_retryable, what)
    if 300 <= response.status < 400 and request.method not in {"GET", "HEAD"}:
        return partial(errors.RegistryError, f"request rejected: {cannot}: the response is an unexpected redirect")
    return None


def _not_retryable(*facts: Any) -> errors.ServerError:  # noqa: ANN401 (as of the class)
    error = errors.ServerError(*facts)
    error.retryable = False
    return error


def _transient_error(
    response: Response, the: str, verb: str, facts: tuple[int, tuple[str, ...], str]
) -> errors.RegistryError:
    """Return the error for a status after which a later attempt may succeed."""
    where, wait = place_of(response), retry_after(response)
    advice = "; ".join(filter(None, (response.advice, _try_again(wait))))
    if response.status == 429:
        return errors.RateLimitedError("rate limit exceeded", where, advice, *facts, wait)
    if response.status >= 500:
        return errors.ServerError(f"server error: cannot {verb} {the}", where, advice, *facts)
    error = errors.RegistryError(f"the registry did not respond in time: cannot {verb} {the}", where, advice, *facts)
    error.retryable = True
    return error


def check_wait(response: Response, longest: float, left: float) -> None:
    """Raise RateLimitedError if a 408 or 503 requests too long a delay (429: see `raise_for_status`).

    `longest` is `max_retry_after`, and `left` the rest of the time for the request, both in seconds.
    """
    wait = retry_after(response)
    if wait is None or wait <= min(longest, left) or response.status == 429:
        return
    facts = response.status, reported(response).lines, _request_id(response), wait
    limit = f"{longest:.0f} seconds (max_retry_after)" if wait > longest else "the time that is left for the request"
    reason = f"the registry requests a delay of more than {limit}"
    raise errors.RateLimitedError(reason, place_of(response), _try_again(wait), *facts)


def _the(request: Request) -> str:
    """Return what was requested, with an article unless it is a name: `the catalog`, `acme/web:1.4`."""
    what = request.what or request.target
    return what if any(sign in what.partition(" ")[0] for sign in "/:@") else f"the {what}"


def place_of(response: Response) -> str:
    """Return the registry that responded, for messages; else the URL."""
    return response.registry.partition("://")[2] or response.where


def _try_again(seconds: float | None) -> str:
    whole = math.ceil(seconds or 0.0)
    return f"try again in {whole} second{'s' if whole > 1 else ''}" if whole else "try again later"


class Reported(NamedTuple):
    """The errors that the body of a response reports."""

    lines: tuple[str, ...]  # for messages; at most 1,024 characters in total (TRN-20)
    codes: frozenset[str]

    @property
    def is_unsupported(self) -> bool:
        """Whether the registry reports that it does not support the operation."""
        return bool(self.codes & _UNSUPPORTED)


def reported(response: Response) -> Reported:
    """Return the errors that a body reports; for other text, its beginning, unless it is a web page."""
    from dreg_client.protocol.responses import (  # noqa: PLC0415 (most responses are not errors)
        MISSING,
        parse_errors,
        parse_missing,
    )

    response = redacted(response)
    entries = parse_errors(response.body)
    # Registries report each missing blob as an error with the same text: show the text once, with all digests.
    missing = {MISSING: ", ".join(parse_missing(response.body))}
    with_digests = [(*entry, missing.get(entry[0], "")) for entry in dict.fromkeys(entries)]
    lines = [": ".join(map(_line, filter(None, entry))) for entry in with_digests]
    if not entries:
        text = _line(response.body[:_LONGEST].decode("utf-8", "replace"))
        lines = [] if text.startswith("<") else [text]  # "<": a web page
    kept: list[str] = []
    left = _LONGEST
    for line in filter(None, lines):
        if left > 0:
            kept.append(line[:left])
            left -= len(line)
    return Reported(tuple(kept), frozenset(code for code, _ in entries))


def _line(text: str) -> str:
    """Return a text as one line: white space becomes one space, and other control characters are escaped (CLI-01)."""
    line = " ".join(text[:_LONGEST].split())
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in line)


def _request_id(response: Response) -> str:
    found = (response.headers.get(name) for name in _REQUEST_IDS)
    return _line(next(filter(None, found), ""))[:200]
