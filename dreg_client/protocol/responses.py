"""The JSON of registries besides documents: tag lists, catalogs, error bodies, tokens (distribution-spec).

Plain classes without pydantic: building a model takes longer than the request, and most commands need no other model.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self, cast

from dreg_client.errors import InvalidReferenceError, ProtocolError, TokenError
from dreg_client.models.frozen import FrozenDict, freeze
from dreg_client.models.json_text import MAX_DEPTH, DishonestTextError, read_object, scan
from dreg_client.values.credential import is_sendable
from dreg_client.values.reference import RepositoryName, Tag, are_all

SHORTEST_LIFE: Final = 60
LONGEST_LIFE: Final = 3600
_SHOWN_ERRORS: Final = 10
_SHOWN_TEXT: Final = 1024
_SHOWN_NAME: Final = 100
_NOTHING: Final[Mapping[str, object]] = FrozenDict()


@dataclass(frozen=True, slots=True)
class TagList:
    """The tags of a repository, or one page of them, in the registry's order (ANS-01, ANS-02).

    Attributes:
        name: The repository's name in the response; proxies write their own, so it is not compared with the request.
        tags: The tags.
        left_out: Entries that are not valid tags, as text; some registries list digests, or null.
        unknown_members: Members that the specification does not name.
    """

    name: str | None
    tags: tuple[str, ...]
    left_out: tuple[str, ...] = ()
    unknown_members: Mapping[str, object] = _NOTHING

    @classmethod
    def parse(cls, raw: bytes) -> Self:
        """Read the body of a tag list.

        Raises:
            ProtocolError: It is not a JSON object, or `tags` is absent or not a list (null reads as empty).
        """
        tree = _object(raw, "a tag list")
        tags, left_out = _names(tree, "tags", Tag)
        return cls(_text(tree, "name"), tags, left_out, _others(tree, "name", "tags"))


@dataclass(frozen=True, slots=True)
class Catalog:
    """The repositories of a registry, or one page of them (ANS-03).

    Attributes:
        repositories: Their names, in the registry's order.
        left_out: Entries that are not valid names of repositories, as text.
        unknown_members: Members that distribution does not name.
    """

    repositories: tuple[str, ...]
    left_out: tuple[str, ...] = ()
    unknown_members: Mapping[str, object] = _NOTHING

    @classmethod
    def parse(cls, raw: bytes) -> Self:
        """Read the body of a catalog.

        Raises:
            ProtocolError: It is not a JSON object, or `repositories` is absent or not a list (null reads as empty).
        """
        tree = _object(raw, "a catalog")
        names, left_out = _names(tree, "repositories", RepositoryName)
        return cls(names, left_out, _others(tree, "repositories"))


@dataclass(frozen=True, slots=True)
class RegistryDiagnostic:
    """One error of an error body (ANS-05, ANS-06)."""

    code: str = "UNKNOWN"
    message: str = ""
    detail: object = None


@dataclass(frozen=True, slots=True)
class ErrorBody:
    """The body of an error response: at most 10 errors, or the start of the text itself (ANS-04).

    Attributes:
        errors: The errors.
        text: The body as text if it is not a list of errors.
    """

    errors: tuple[RegistryDiagnostic, ...] = ()
    text: str = ""

    @classmethod
    def parse(cls, raw: bytes) -> Self:
        """Read an error body; any bytes are accepted, and whatever is not a list of errors is kept as text."""
        try:
            entries = _list(read_object(raw).get("errors"))
        except DishonestTextError:
            entries = []
        known = [cast("dict[str, object]", entry) for entry in entries if isinstance(entry, dict)]
        if not known:
            return cls(text=raw[:_SHOWN_TEXT].decode("utf-8", "replace"))
        return cls(tuple(_diagnostic(entry) for entry in known[:_SHOWN_ERRORS]))


@dataclass(frozen=True, slots=True, repr=False)
class TokenResponse:
    """The response of a token server (ANS-07 to ANS-09). Its `repr` does not show the token.

    Attributes:
        value: The token; if `token` and `access_token` are both present, the first counts.
        expires_in: Its lifetime in seconds, from 60 to 3,600.
        refresh_token: An identity token for later requests, None if there is none.
    """

    value: str
    expires_in: int = SHORTEST_LIFE
    refresh_token: str | None = None

    @classmethod
    def parse(cls, raw: bytes) -> Self:
        """Read the body of a token server's response.

        Raises:
            TokenError: It has no token, or one that no header can carry. The body is never part of the message.
        """
        try:
            tree = read_object(raw)
        except DishonestTextError:
            message = "the token server's answer is no JSON object"
            raise TokenError(message) from None
        value = _text(tree, "token") or _text(tree, "access_token")
        if not value:
            message = "the token server's answer has neither token nor access_token"
            raise TokenError(message)
        if not is_sendable(value):
            message = "the token server's answer has a token with characters that cannot be sent"
            raise TokenError(message)
        return cls(value, _life(tree.get("expires_in")), _text(tree, "refresh_token"))

    def __repr__(self) -> str:
        return f"TokenResponse(expires_in={self.expires_in})"


def _object(raw: bytes, what: str) -> dict[str, object]:
    try:
        return read_object(raw)
    except DishonestTextError:
        problems = scan(raw)[1]
        message = f"{what} is no honest JSON object: {problems[0] if problems else 'not readable'}"
        raise ProtocolError(message) from None


def _names(
    tree: dict[str, object], member: str, kind: type[Tag | RepositoryName]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the entries that are valid names, and those that are not, as text."""
    found = tree.get(member, False)
    if found is not None and not isinstance(found, list):
        message = f"the answer has no list of {member}; without it nobody can say that there are none"
        raise ProtocolError(message)
    entries = _list(cast("object", found))
    if are_all(kind, entries):
        return tuple(cast("list[str]", entries)), ()
    names: list[str] = []
    left_out: list[str] = []
    for entry in entries:
        text = entry if isinstance(entry, str) else ""
        try:
            kind(text)
        except InvalidReferenceError:
            left_out.append(str(entry)[:_SHOWN_NAME])
        else:
            names.append(text)
    return tuple(names), tuple(left_out)


def _others(tree: dict[str, object], *known: str) -> Mapping[str, object]:
    """Return the members that are not known, frozen; `read_object` has bounded their depth (GEN-04)."""
    others = {name: value for name, value in tree.items() if name not in known}
    return FrozenDict({name: freeze(value, MAX_DEPTH) for name, value in others.items()}) if others else _NOTHING


def _list(value: object) -> list[object]:
    return cast("list[object]", value) if isinstance(value, list) else []


def _text(tree: dict[str, object], member: str) -> str | None:
    value = tree.get(member)
    return value if isinstance(value, str) and value else None


def _life(seconds: object) -> int:
    if type(seconds) is not int:
        return SHORTEST_LIFE
    return min(max(seconds, SHORTEST_LIFE), LONGEST_LIFE)


def _diagnostic(entry: dict[str, object]) -> RegistryDiagnostic:
    code, message = entry.get("code"), entry.get("message")
    return RegistryDiagnostic(
        code=code[:_SHOWN_NAME] if isinstance(code, str) else "UNKNOWN",
        message=message[:_SHOWN_TEXT] if isinstance(message, str) else "",
        detail=freeze(entry.get("detail"), MAX_DEPTH),
    )
