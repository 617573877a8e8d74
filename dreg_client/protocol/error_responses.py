"""A status and an error body become the right error (distribution-spec "Error Codes")."""

from typing import Final, Never

from dreg_client import errors
from dreg_client.protocol.messages import Request, Response
from dreg_client.protocol.retry import retry_after

_UNSUPPORTED: Final = frozenset({"UNSUPPORTED", "UNSUPPORTED_OPERATION"})
_LONGEST: Final = 1024
_REQUEST_IDS: Final = ("x-request-id", "x-amzn-requestid", "x-ms-correlation-request-id", "x-github-request-id")


def accept(response: Response, request: Request, advice: str = "") -> Response:
    """The answer, where it is a good one.

    Args:
        response: The answer.
        request: What was asked.
        advice: What to do where there is no such thing, or it is not offered.

    Raises:
        NotFoundError: 404.
        UnauthorizedError: 401.
        DeniedError: 403.
        UnsupportedError: 405, or the registry says that it does not offer it.
        RateLimitedError: 429.
        ServerError: 5xx.
        RegistryError: Any other status that is not 2xx.
    """
    if not response.ok:
        refuse(response, request, advice)
    return response


def refuse(response: Response, request: Request, advice: str = "", *, offered: bool = True) -> Never:
    """Raise what a refusal means (see `accept`).

    Args:
        response: The answer.
        request: What was asked.
        advice: As of `accept`.
        offered: False where it is known that this answer means that it is not offered.
    """
    said, codes = _said(response)
    facts = response.status, said, _request_id(response)
    match response.status:
        case 404:
            raise errors.NotFoundError(request.what or request.target, _place(response), advice, *facts)
        case 401:
            raise errors.UnauthorizedError(
                _cannot(request), _place(response), response.advice or _WHO, *facts, response.anonymous
            )
        case 403:
            raise errors.DeniedError(
                _cannot(request), _place(response), response.advice or _MAY, *facts, response.anonymous
            )
        case 429:
            wait = retry_after(response)
            raise errors.RateLimitedError("asks for fewer requests", _place(response), _wait(wait), *facts, wait)
        case status if status == 405 or not offered:
            raise errors.UnsupportedError(f"does not offer to {_doing(request)}", _place(response), advice, *facts)
        case status if status >= 500:
            raise errors.ServerError(f"failed to {_doing(request)}", _place(response), advice, *facts)
        case _ if codes & _UNSUPPORTED:
            raise errors.UnsupportedError(f"does not offer to {_doing(request)}", _place(response), advice, *facts)
        case _:
            raise errors.RegistryError(f"refused to {_doing(request)}", _place(response), advice, *facts)


def refuse_long_wait(response: Response, longest: float) -> None:
    """Raise where a registry is not there for longer than we wait (408, 503); of 429 that is said by `refuse`.

    Raises:
        RateLimitedError: It is.
    """
    wait = retry_after(response)
    if wait is None or wait <= longest or response.status == 429:
        return
    facts = response.status, _said(response)[0], _request_id(response), wait
    raise errors.RateLimitedError("asks for a longer wait than we take", _place(response), _wait(wait), *facts)


_WHO: Final = "give credentials, or log in with: dreg login"
_MAY: Final = "ask its owner for the right to, or use another credential"
_VERBS: Final = {"GET": "give", "HEAD": "give", "PUT": "take", "POST": "take", "PATCH": "take", "DELETE": "delete"}


def _doing(request: Request) -> str:
    return f"{_VERBS.get(request.method, request.method)} {_the(request)}"


def _cannot(request: Request) -> str:
    return f"does not let us {'read' if request.method in {'GET', 'HEAD'} else 'change'} {_the(request)}"


def _the(request: Request) -> str:
    """What was asked for: `the catalog`; but a name as it is."""
    what = request.what or request.target
    return what if any(sign in what.partition(" ")[0] for sign in "/:@") else f"the {what}"


def _place(response: Response) -> str:
    return response.registry.partition("://")[2] or response.where


def _wait(seconds: float | None) -> str:
    return f"try again in {seconds:.0f} seconds" if seconds else "try again later"


def _said(response: Response) -> tuple[tuple[str, ...], set[str]]:
    """What the body says, in lines for people, and its codes."""
    from dreg_client.protocol.responses import ErrorBody  # noqa: PLC0415 (most responses are not errors)

    body = ErrorBody.parse(response.body)
    lines = tuple(_diagnostic(entry.code, entry.message) for entry in body.errors) or _text(body.text)
    return _bounded(lines), {entry.code for entry in body.errors}


def _diagnostic(code: str, message: str) -> str:
    return f"{_line(code)}: {_line(message)}" if message else _line(code)


def _bounded(said: tuple[str, ...]) -> tuple[str, ...]:
    """As much of it as one wants to read: 1,024 characters in all (TRN-20)."""
    kept: list[str] = []
    left = _LONGEST
    for entry in said:
        if left > 0:
            kept.append(entry[:left])
            left -= len(entry)
    return tuple(kept)


def _text(text: str) -> tuple[str, ...]:
    """What a body says that is no list of errors; a page for browsers says nothing to us."""
    line = _line(text)
    return (line,) if line and not line.startswith("<") else ()


def _line(text: str) -> str:
    """A stranger's text in one line: white space as one space, other control characters spelled out (CLI-01)."""
    line = " ".join(text[:_LONGEST].split())
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in line)


def _request_id(response: Response) -> str:
    found = (response.headers.get(name) for name in _REQUEST_IDS)
    return _line(next(filter(None, found), ""))[:200]
