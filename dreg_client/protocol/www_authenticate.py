"""Authentication challenges: `WWW-Authenticate` (RFC 9110 11.6.1; distribution "Token Authentication")."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from dreg_client.errors import ChallengeError

_LONGEST: Final = 8192
_MOST: Final = 16
_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", re.ASCII)
_BETWEEN: Final = re.compile(r"[ \t,]*")
_TOKEN68: Final = re.compile(r"(?:[ \t]+[A-Za-z0-9._~+/-]+=*[ \t]*(?=,|$))?", re.ASCII)
_EQUALS: Final = re.compile(r"[ \t]*=[ \t]*")
_VALUE: Final = re.compile(r'"((?:[^"\\]|\\.)*)"|([^\s,"]+)', re.DOTALL)
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)
_ALLOWED: Final = {"GET": {"pull"}, "HEAD": {"pull"}, "DELETE": {"pull", "push", "delete", "*"}}
_WRITING: Final = frozenset({"pull", "push"})


@dataclass(frozen=True, slots=True)
class Challenge:
    """A challenge; its scheme and the names of its parameters are lower-case."""

    scheme: str
    parameters: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def realm(self) -> str:
        """The URL of the token server."""
        return self.parameters.get("realm", "")

    @property
    def service(self) -> str:
        """The registry's name on the token server; may be empty."""
        return self.parameters.get("service", "")

    @property
    def scope(self) -> str:
        """The access that a token must grant; may be empty."""
        return self.parameters.get("scope", "")


def parse_challenges(lines: Iterable[str]) -> tuple[Challenge, ...]:
    """Parse the challenges of all `WWW-Authenticate` headers of a response, at most 16.

    Examples:
        >>> parse_challenges(['Bearer realm="https://auth.example/token",service=web'])[0].service
        'web'
    """
    lines = tuple(lines)
    if sum(map(len, lines)) > _LONGEST:
        raise ChallengeError(f"the registry's WWW-Authenticate header is longer than {_LONGEST} characters")
    found: list[Challenge] = []
    for line in lines:
        try:
            found += _challenges(line)
        except ValueError:
            reason = "the registry's WWW-Authenticate header is malformed (RFC 9110), so authentication is not possible"
            raise ChallengeError(reason) from None
    return tuple(found[:_MOST])


def _challenges(line: str) -> list[Challenge]:
    found: list[Challenge] = []
    position = _match(_BETWEEN, line, 0).end()
    while position < len(line):
        name = _match(_TOKEN, line, position)
        equals = _EQUALS.match(line, name.end())
        if equals and found:
            value = _match(_VALUE, line, equals.end())
            if name[0].lower() in found[-1].parameters:
                raise ValueError  # "MUST only occur once per challenge" (RFC 9110 11.2)
            quoted = value[1]
            found[-1].parameters[name[0].lower()] = value[2] if quoted is None else _ESCAPED.sub(r"\1", quoted)
            end = value.end()
        else:
            found.append(Challenge(name[0].lower()))
            end = _match(_TOKEN68, line, name.end()).end()
        position = _match(_BETWEEN, line, end).end()
        if position == end < len(line):
            raise ValueError  # a comma or a space must follow
    return found


def _match(pattern: re.Pattern[str], line: str, position: int) -> re.Match[str]:
    found = pattern.match(line, position)
    if found is None:
        raise ValueError
    return found


def scope_to_request(challenged: str, own: str, method: str) -> str:
    """Return the scope of the token to request: the challenge's scope, limited to what the request needs (`own`).

    Examples:
        >>> scope_to_request("repository:a/b:pull repository:other:push", "repository:a/b:pull", "GET")
        'repository:a/b:pull'
    """
    kind, _, rest = own.partition(":")
    name, _, needed = rest.rpartition(":")
    if kind != "repository" or " " in own:
        return own
    allowed = _ALLOWED.get(method, _WRITING) | {*needed.split(",")}
    for start, _, actions in (scope.rpartition(":") for scope in challenged.split()):
        granted = [action for action in actions.split(",") if action in allowed]
        if start == f"repository:{name}" and granted:
            return f"{start}:{','.join(granted)}"
    return own


def is_foreign(challenged: str, own: str) -> bool:
    """Return whether a challenge asks for a scope on a resource other than that of the request (AUT-15)."""
    own_starts = {scope.rpartition(":")[0] for scope in own.split()}
    return any(scope.rpartition(":")[0] not in own_starts for scope in challenged.split())
