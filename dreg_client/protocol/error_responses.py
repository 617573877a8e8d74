"""Turn the status and the body of an error response into an error (distribution-spec "Error Codes")."""

from typing import Final, NamedTuple

from dreg_client import errors
from dreg_client.protocol.messages import Request, Response
from dreg_client.protocol.retry import retry_after

_UNSUPPORTED: Final = frozenset({"UNSUPPORTED", "UNSUPPORTED_OPERATION"})
_LONGEST: Final = 1024
_REQUEST_IDS: Final = ("x-request-id", "x-amzn-requestid", "x-ms-correlation-request-id", "x-github-request-id")
_WHO: Final = "give credentials, or log in with: dreg login"
_MAY: Final = "ask its owner for the right to, or use another credential"
TELL: Final = "tell whether it has"
_VERBS: Final = {
    "GET": "give",
    "HEAD": TELL,
    "PUT": "take",
    "POST": "take",
    "PATCH": "take",
    "DELETE": "delete",
}


def raise_for_status(response: Response, request: Request, advice: str = "", verb: str = "") -> Response:
    """Return a successful response, or raise the error that it means, a RegistryError or an UnauthorizedError.

    `advice`: what to do if the thing does not exist, or the operation is not supported. `verb`: what the registry was
    asked to do, if the method does not say it.
    """
    if not response.ok:
        raise _error(response, request, advice, verb or _VERBS.get(request.method, request.method))
    return response


def _error(
    response: Response, request: Request, advice: str, verb: str
) -> errors.RegistryError | errors.UnauthorizedError:
    said = reported(response)
    facts = response.status, said.lines, _request_id(response)
    where, the = place_of(response), _the(request)
    cannot = f"does not let us {'read' if request.method in {'GET', 'HEAD'} else 'change'} {the}"
    doing = f"{verb} {the}"
    match response.status:
        case 404:
            return errors.NotFoundError(request.what or request.target, where, advice, *facts)
        case 401:
            return errors.UnauthorizedError(cannot, where, response.advice or _WHO, *facts, response.anonymous)
        case 403:
            return errors.DeniedError(cannot, where, response.advice or _MAY, *facts, response.anonymous)
        case 429:
            wait = retry_after(response)
            return errors.RateLimitedError("asks for fewer requests", where, _try_again(wait), *facts, wait)
        case 405:
            return errors.UnsupportedError(f"does not offer to {doing}", where, advice, *facts)
        case status if status >= 500:
            return errors.ServerError(f"failed to {doing}", where, advice, *facts)
        case _ if said.is_unsupported:
            return errors.UnsupportedError(f"does not offer to {doing}", where, advice, *facts)
        case _:
            return errors.RegistryError(f"refused to {doing}", where, advice, *facts)


def check_wait(response: Response, longest: float) -> None:
    """Raise RateLimitedError if a 408 or 503 asks for a longer wait than `longest` (429: see `raise_for_status`)."""
    wait = retry_after(response)
    if wait is None or wait <= longest or response.status == 429:
        return
    facts = response.status, reported(response).lines, _request_id(response), wait
    raise errors.RateLimitedError("asks for a longer wait than we take", place_of(response), _try_again(wait), *facts)


def _the(request: Request) -> str:
    """Return what was requested: `the catalog`; but a name as it is."""
    what = request.what or request.target
    return what if any(sign in what.partition(" ")[0] for sign in "/:@") else f"the {what}"


def place_of(response: Response) -> str:
    """Return the registry that responded, for messages; else the URL."""
    return response.registry.partition("://")[2] or response.where


def _try_again(seconds: float | None) -> str:
    return f"try again in {seconds:.0f} seconds" if seconds else "try again later"


class Reported(NamedTuple):
    """What the body of a response says."""

    lines: tuple[str, ...]  # for people, 1,024 characters in all (TRN-20)
    codes: frozenset[str]

    @property
    def is_unsupported(self) -> bool:
        """Whether the registry says that it does not offer the operation."""
        return bool(self.codes & _UNSUPPORTED)


def reported(response: Response) -> Reported:
    """Return the errors that a body reports; of a body of another form, its beginning, unless it is a page."""
    from dreg_client.protocol.responses import (  # noqa: PLC0415 (most responses are not errors)
        MISSING,
        parse_errors,
        parse_missing,
    )

    entries = parse_errors(response.body)
    # One error for each missing blob has the same text: it is said once, with all digests.
    missing = {MISSING: ", ".join(parse_missing(response.body))}
    told = [(*entry, missing.get(entry[0], "")) for entry in dict.fromkeys(entries)]
    lines = [": ".join(map(_line, filter(None, entry))) for entry in told]
    if not entries:
        text = _line(response.body[:_LONGEST].decode("utf-8", "replace"))
        lines = [] if text.startswith("<") else [text]  # a page for browsers
    kept: list[str] = []
    left = _LONGEST
    for line in filter(None, lines):
        if left > 0:
            kept.append(line[:left])
            left -= len(line)
    return Reported(tuple(kept), frozenset(code for code, _ in entries))


def _line(text: str) -> str:
    """Return a text as one line: white space as one space, other control characters as escapes (CLI-01)."""
    line = " ".join(text[:_LONGEST].split())
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in line)


def _request_id(response: Response) -> str:
    found = (response.headers.get(name) for name in _REQUEST_IDS)
    return _line(next(filter(None, found), ""))[:200]
