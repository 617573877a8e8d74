"""What a registry asks for as proof: `WWW-Authenticate` (RFC 9110 11.6.1; distribution "Token Authentication")."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, NoReturn

from dreg_client.errors import ChallengeError

_LONGEST: Final = 8192
_MOST: Final = 16
_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", re.ASCII)
_SPACE: Final = re.compile(r"[ \t]*")
_BETWEEN: Final = re.compile(r"[ \t,]*")
_TOKEN68: Final = re.compile(r"[ \t]+[A-Za-z0-9._~+/-]+=*[ \t]*(?=,|$)", re.ASCII)
_EQUALS: Final = re.compile(r"[ \t]*=[ \t]*")
_QUOTED: Final = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_BARE: Final = re.compile(r'[^\s,"]+')
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Challenge:
    """One way of proof that a registry takes.

    Attributes:
        scheme: The scheme, lower-case: `basic`, `bearer`.
        parameters: Its parameters, by lower-case name.
    """

    scheme: str
    parameters: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def realm(self) -> str:
        """Where tokens are given."""
        return self.parameters.get("realm", "")

    @property
    def service(self) -> str:
        """What the registry is called there; may be empty."""
        return self.parameters.get("service", "")

    @property
    def scope(self) -> str:
        """What a token must allow; may be empty."""
        return self.parameters.get("scope", "")


def parse_challenges(lines: Iterable[str]) -> tuple[Challenge, ...]:
    """Read all challenges of all `WWW-Authenticate` headers of an answer.

    Raises:
        ChallengeError: They do not follow the grammar, or are too long.

    Examples:
        >>> parse_challenges(['Bearer realm="https://auth.example/token",service=web'])[0].service
        'web'
    """
    lines = tuple(lines)
    if sum(map(len, lines)) > _LONGEST:
        message = f"the registry's WWW-Authenticate is longer than {_LONGEST} characters"
        raise ChallengeError(message)
    found: list[Challenge] = []
    for line in lines:
        found += _challenges(line)
    return tuple(found[:_MOST])


def _challenges(line: str) -> list[Challenge]:
    found: list[Challenge] = []
    position = _after(_BETWEEN, line, 0)
    while position < len(line):
        name = _TOKEN.match(line, position)
        if name is None:
            _refuse()
        position = name.end()
        equals = _EQUALS.match(line, position)
        if equals and found:
            value, position = _value(line, equals.end())
            _add(found[-1], name[0].lower(), value)
        else:
            found.append(Challenge(name[0].lower()))
            position = _after(_TOKEN68, line, position)
        position = _separated(line, position)
    return found


def _value(line: str, position: int) -> tuple[str, int]:
    quoted = _QUOTED.match(line, position)
    if quoted:
        return _ESCAPED.sub(r"\1", quoted[1]), quoted.end()
    bare = _BARE.match(line, position)
    if bare is None:
        _refuse()
    return bare[0], bare.end()


def _add(challenge: Challenge, name: str, value: str) -> None:
    if name in challenge.parameters:  # "MUST only occur once per challenge" (RFC 9110 11.2)
        _refuse()
    challenge.parameters[name] = value


def _separated(line: str, position: int) -> int:
    """Behind the comma or the space that must stand before what follows."""
    end = _after(_BETWEEN, line, position)
    if end == position < len(line):
        _refuse()
    return end


def _after(pattern: re.Pattern[str], line: str, position: int) -> int:
    match = pattern.match(line, position)
    return match.end() if match else position


def _refuse() -> NoReturn:
    message = "the registry's WWW-Authenticate does not follow RFC 9110; nothing can be answered to it"
    raise ChallengeError(message)


# --- scopes


_ALLOWED: Final = {"GET": {"pull"}, "HEAD": {"pull"}, "DELETE": {"pull", "push", "delete", "*"}}
_WRITING: Final = frozenset({"pull", "push"})


def scope_to_ask(challenged: str, own: str, method: str) -> str:
    """The scope of a token: what the challenge asks for, as far as it is our own thing and our own method needs it.

    Args:
        challenged: The challenge's scopes, separated by spaces.
        own: What the request itself needs.
        method: Its method.

    Examples:
        >>> scope_to_ask("repository:a/b:pull repository:other:push", "repository:a/b:pull", "GET")
        'repository:a/b:pull'
    """
    kind, _, rest = own.partition(":")
    name = rest.rpartition(":")[0]
    if kind != "repository":
        return own
    allowed = _ALLOWED.get(method, _WRITING)
    for scope in challenged.split():
        start, _, actions = scope.rpartition(":")
        granted = [action for action in actions.split(",") if action in allowed]
        if start == f"repository:{name}" and granted:
            return f"{start}:{','.join(granted)}"
    return own


def is_foreign(challenged: str, own: str) -> bool:
    """Whether a challenge asks for a scope that is not our own thing's (AUT-15)."""
    start = own.rpartition(":")[0]
    return any(scope.rpartition(":")[0] != start for scope in challenged.split())
