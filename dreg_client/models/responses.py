"""Responses of registries other than documents: lists of tags and repositories, errors, tokens (distribution-spec)."""

from typing import Annotated, ClassVar, Final, Self, cast

from pydantic import Field, Strict

from dreg_client.errors import InvalidReferenceError, ProtocolError, TokenError
from dreg_client.models.base import StrictModel
from dreg_client.models.fields import NAMES_PROVEN, FrozenValue, RepositoryTexts, TagTexts
from dreg_client.models.json_text import DishonestTextError, read_object, scan
from dreg_client.models.stored import octets_of
from dreg_client.values.credential import is_sendable
from dreg_client.values.reference import RepositoryName, Tag, are_all

SHORTEST_LIFE: Final = 60
LONGEST_LIFE: Final = 3600
_SHOWN_ERRORS: Final = 10
_SHOWN_TEXT: Final = 1024
_SHOWN_NAME: Final = 100


class Answer(StrictModel, frozen=True):
    """A response of a registry; unknown members are kept."""

    folded_names_refused: ClassVar[bool] = False


class TagList(Answer, frozen=True):
    """The tags of a repository, or one page of them, in the registry's order (ANS-01, ANS-02).

    Attributes:
        name: The repository by the registry; proxies return another name, so it is not checked.
        tags: The tags.
        left_out: Entries that are not valid tags, as text; some registries list digests, or null.
    """

    name: str | None = None
    tags: TagTexts
    left_out: Annotated[tuple[str, ...], Strict(strict=False)] = Field(default=(), exclude=True)

    @classmethod
    def parse(cls, raw: bytes | str) -> Self:
        """Parse the response to a tag list.

        Raises:
            ProtocolError: It is not a JSON object, or `tags` is absent or not a list (null reads as empty).
        """
        tree = _object(raw, "a tag list")
        tags, left_out = _names(tree, "tags", Tag)
        members = {**tree, "name": _text(tree, "name"), "tags": tags, "left_out": left_out}
        return cls.model_validate(members, context=NAMES_PROVEN)


class Catalog(Answer, frozen=True):
    """The repositories of a registry, or one page of them (ANS-03).

    Attributes:
        repositories: Their names, in the registry's order.
        left_out: Entries that are not valid repository names, as text.
    """

    repositories: RepositoryTexts
    left_out: Annotated[tuple[str, ...], Strict(strict=False)] = Field(default=(), exclude=True)

    @classmethod
    def parse(cls, raw: bytes | str) -> Self:
        """Parse the response to a catalog.

        Raises:
            ProtocolError: It is not a JSON object, or `repositories` is absent or not a list (null reads as empty).
        """
        tree = _object(raw, "a catalog")
        names, left_out = _names(tree, "repositories", RepositoryName)
        return cls.model_validate({**tree, "repositories": names, "left_out": left_out}, context=NAMES_PROVEN)


class RegistryDiagnostic(Answer, frozen=True):
    """One error of an error body (ANS-05, ANS-06)."""

    code: str = "UNKNOWN"
    message: str = ""
    detail: FrozenValue = None


class ErrorBody(Answer, frozen=True):
    """The body of an error response: at most 10 errors, or the shortened text (ANS-04).

    Attributes:
        errors: The errors.
        text: The text, if it has another format.
    """

    errors: Annotated[tuple[RegistryDiagnostic, ...], Strict(strict=False)] = ()
    text: str = Field(default="", exclude=True)

    @classmethod
    def parse(cls, raw: bytes | str) -> Self:
        """Parse an error body; it never fails, and keeps any other format as text."""
        octets = octets_of(raw)
        try:
            entries = _list(read_object(octets).get("errors"))
        except DishonestTextError:
            entries = []
        known = [cast("dict[str, object]", entry) for entry in entries if isinstance(entry, dict)]
        if not known:
            return cls(text=octets[:_SHOWN_TEXT].decode("utf-8", "replace"))
        return cls(errors=tuple(_diagnostic(entry) for entry in known[:_SHOWN_ERRORS]))


class TokenAnswer(Answer, frozen=True):
    """The response of a token server (ANS-07 to ANS-09). Its `repr` shows no token.

    Attributes:
        value: The token; if `token` and `access_token` differ, `token`.
        expires_in: Its lifetime in seconds, from 60 to 3,600.
        refresh_token: An identity token for later requests, or None.
    """

    value: str = Field(repr=False, exclude=True)
    expires_in: int = SHORTEST_LIFE
    refresh_token: str | None = Field(default=None, repr=False, exclude=True)

    @classmethod
    def parse(cls, raw: bytes | str) -> Self:
        """Parse the response of a token server.

        Raises:
            TokenError: It has no token, or one that cannot be sent. The body is never part of the message.
        """
        try:
            tree = read_object(octets_of(raw))
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
        return cls(value=value, expires_in=_life(tree.get("expires_in")), refresh_token=_text(tree, "refresh_token"))

    def __repr__(self) -> str:
        return f"TokenAnswer(expires_in={self.expires_in})"


def _object(raw: bytes | str, what: str) -> dict[str, object]:
    octets = octets_of(raw)
    try:
        return read_object(octets)
    except DishonestTextError:
        problems = scan(octets)[1]
        message = f"{what} is no honest JSON object: {problems[0] if problems else 'not readable'}"
        raise ProtocolError(message) from None


def _names(
    tree: dict[str, object], member: str, kind: type[Tag | RepositoryName]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the valid entries, and the invalid ones as text."""
    found = tree.get(member, False)
    if found is not None and not isinstance(found, list):
        message = f"the answer has no list of {member}; without it nobody can say that there are none"
        raise ProtocolError(message)
    entries = _list(cast("object", found))
    if are_all(kind, entries):
        return tuple(cast("list[str]", entries)), ()
    return _sorted_out(entries, kind)


def _sorted_out(entries: list[object], kind: type[Tag | RepositoryName]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Check entry by entry."""
    names: list[str] = []
    left_out: list[str] = []
    for entry in entries:
        try:
            names.append(kind(entry if isinstance(entry, str) else ""))
        except InvalidReferenceError:
            left_out.append(str(entry)[:_SHOWN_NAME])
    return tuple(names), tuple(left_out)


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
        detail=entry.get("detail"),
    )
