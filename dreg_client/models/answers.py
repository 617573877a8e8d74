"""What a registry says besides documents: lists of tags and repositories, errors, tokens (distribution-spec)."""

from collections.abc import Callable
from typing import Any, ClassVar, Final, Self, TypeVar, cast

from pydantic import Field

from dreg_client.errors import DregError, ProtocolError, TokenError
from dreg_client.models.base import StrictModel
from dreg_client.models.json_text import DishonestTextError, read_object, scan
from dreg_client.models.stored import octets_of
from dreg_client.values.reference import RepositoryName, Tag

Name = TypeVar("Name", bound=str)

SHORTEST_LIFE: Final = 60
LONGEST_LIFE: Final = 3600
_SHOWN_ERRORS: Final = 10
_SHOWN_TEXT: Final = 1024


class Answer(StrictModel, frozen=True):
    """A registry's answer; unknown members are kept."""

    folded_names_refused: ClassVar[bool] = False


class TagList(Answer):
    """The tags of a repository, or one page of them, in the registry's order (ANS-01, ANS-02).

    Attributes:
        name: What the registry calls the repository; proxies write their own, so it is compared with nothing.
        tags: The tags.
        left_out: Entries that are no tags; some registries list digests, or null.
    """

    name: str | None = None
    tags: tuple[Tag, ...]
    left_out: tuple[str, ...] = Field(default=(), exclude=True)

    @classmethod
    def parse(cls, raw: bytes | str) -> Self:
        """Read the answer of a tag list.

        Raises:
            ProtocolError: It is no JSON object, or `tags` is absent or no list (null reads as empty).
        """
        tree = _object(raw, "a tag list")
        tags, left_out = _names(tree, "tags", Tag)
        return cls.model_construct(**_others(tree, "tags"), name=_text(tree, "name"), tags=tags, left_out=left_out)


class Catalog(Answer):
    """The repositories of a registry, or one page of them (ANS-03).

    Attributes:
        repositories: Their names, in the registry's order.
        left_out: Entries that are no names of repositories.
    """

    repositories: tuple[RepositoryName, ...]
    left_out: tuple[str, ...] = Field(default=(), exclude=True)

    @classmethod
    def parse(cls, raw: bytes | str) -> Self:
        """Read the answer of a catalog.

        Raises:
            ProtocolError: It is no JSON object, or `repositories` is absent or no list (null reads as empty).
        """
        tree = _object(raw, "a catalog")
        names, left_out = _names(tree, "repositories", RepositoryName)
        return cls.model_construct(**_others(tree, "repositories"), repositories=names, left_out=left_out)


class RegistryDiagnostic(Answer):
    """One error of an error body (ANS-05, ANS-06)."""

    code: str = "UNKNOWN"
    message: str = ""
    detail: Any = None


class ErrorBody(Answer):
    """What a registry says of a refusal: at most 10 errors, or the text itself, cut short (ANS-04)."""

    errors: tuple[RegistryDiagnostic, ...] = ()
    text: str = Field(default="", exclude=True)

    @classmethod
    def parse(cls, raw: bytes | str) -> Self:
        """Read an error body; nothing in it is wrong, and what is no list of errors is kept as text."""
        octets = octets_of(raw)
        try:
            entries = read_object(octets).get("errors")
        except DishonestTextError:
            entries = None
        known = [entry for entry in cast("list[Any]", entries) if isinstance(entry, dict)] if _is_list(entries) else []
        if not known:
            return cls(text=octets[:_SHOWN_TEXT].decode("utf-8", "replace"))
        return cls(errors=tuple(_diagnostic(cast("dict[str, Any]", entry)) for entry in known[:_SHOWN_ERRORS]))


class TokenAnswer(Answer):
    """What a token server gives (ANS-07 to ANS-09). Its `repr` shows no token.

    Attributes:
        value: The token; where `token` and `access_token` are both there and differ, the first counts.
        expires_in: Its life in seconds, from 60 to 3,600.
        refresh_token: An identity token for later, None where there is none.
    """

    value: str = Field(repr=False, exclude=True)
    expires_in: int = SHORTEST_LIFE
    refresh_token: str | None = Field(default=None, repr=False, exclude=True)

    @classmethod
    def parse(cls, raw: bytes | str) -> Self:
        """Read the answer of a token server.

        Raises:
            TokenError: It holds no token. The body is never part of the message.
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
    tree: dict[str, object], member: str, grammar: Callable[[str], Name]
) -> tuple[tuple[Name, ...], tuple[str, ...]]:
    """The entries that follow the grammar, and those that do not, as text."""
    entries = tree.get(member, False)
    if entries is None:
        return (), ()
    if not _is_list(entries):
        message = f"the answer has no list of {member}; without it nobody can say that there are none"
        raise ProtocolError(message)
    names: list[Name] = []
    left_out: list[str] = []
    for entry in cast("list[object]", entries):
        try:
            names.append(grammar(cast("str", entry)))
        except (DregError, TypeError, AttributeError):
            left_out.append(str(entry)[:100])
    return tuple(names), tuple(left_out)


def _others(tree: dict[str, object], *taken: str) -> dict[str, Any]:
    return {name: value for name, value in tree.items() if name not in {"name", "left_out", *taken}}


def _is_list(value: object) -> bool:
    return isinstance(value, list)


def _text(tree: dict[str, object], member: str) -> str | None:
    value = tree.get(member)
    return value if isinstance(value, str) and value else None


def _life(seconds: object) -> int:
    if type(seconds) is not int:
        return SHORTEST_LIFE
    return min(max(seconds, SHORTEST_LIFE), LONGEST_LIFE)


def _diagnostic(entry: dict[str, Any]) -> RegistryDiagnostic:
    code, message = entry.get("code"), entry.get("message")
    return RegistryDiagnostic(
        code=code[:100] if isinstance(code, str) else "UNKNOWN",
        message=message[:_SHOWN_TEXT] if isinstance(message, str) else "",
        detail=entry.get("detail"),
    )
