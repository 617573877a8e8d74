"""JSON from registries other than documents: lists of names, error bodies, tokens (distribution-spec).

These are plain functions without pydantic, because importing models takes longer than a request, and many commands
need no model.
"""

from dataclasses import dataclass, field
from typing import Final, Self, cast

from dreg_client.errors import InvalidReferenceError, ProtocolError, TokenError
from dreg_client.models.json_text import AmbiguousTextError, read_object, scan
from dreg_client.protocol.messages import Response
from dreg_client.values.credential import is_sendable
from dreg_client.values.digest import is_digest
from dreg_client.values.json_values import NAME
from dreg_client.values.reference import RepositoryName, Tag, are_all

MISSING: Final = "MANIFEST_BLOB_UNKNOWN"
"""The error code for a manifest that names content that the registry does not have."""
SHORTEST_LIFE: Final = 60
LONGEST_LIFE: Final = 3600
_SHOWN_ERRORS: Final = 10
_SHOWN_TEXT: Final = 1024
_SHOWN_NAME: Final = 100


def parse_names(
    response: Response, member: str, kind: type[Tag | RepositoryName]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the valid names in a list of tags or repositories, in order, and the invalid entries as texts.

    The `name` of a tag list is not checked, because proxies write a different one (ANS-01 to ANS-03, D-02). A list
    that is `null` is empty.

    Raises:
        ProtocolError: The body is not a JSON object, or has no such list.
    """
    try:
        found = read_object(response.body, NAME).get(member, False)
    except AmbiguousTextError:
        problems = scan(response.body, value=NAME)[1]
        reason = f"the list of {member} is not a valid JSON object: {problems[0] if problems else 'not readable'}"
        raise ProtocolError(reason, response.where) from None
    if found is not None and not isinstance(found, list):
        reason = f"the response has no list of {member}, so it is unknown whether there are any"
        raise ProtocolError(reason, response.where)
    entries = cast("list[object]", found or [])
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


def lists_nothing(raw: bytes) -> bool:
    """Return whether a body is an empty list of tags, repositories or referrers."""
    try:
        tree = read_object(raw, NAME)
    except AmbiguousTextError:
        return False
    return any(name in tree and not tree[name] for name in ("tags", "repositories", "manifests"))


def parse_errors(raw: bytes) -> list[tuple[str, str]]:
    """Return code and message of up to ten errors; none if the body is not a list of errors (ANS-04 to ANS-06)."""
    return [_error(entry) for entry in _entries(raw)]


def parse_missing(raw: bytes) -> tuple[str, ...]:
    """Return the digests that the registry reports as missing, from the details of its errors."""
    details = [entry.get("detail") for entry in _entries(raw) if entry.get("code") == MISSING]
    found = [cast("dict[str, object]", it).get("digest") if isinstance(it, dict) else it for it in details]
    return tuple(dict.fromkeys(text for text in found if isinstance(text, str) and is_digest(text)))


def _entries(raw: bytes) -> list[dict[str, object]]:
    try:
        found = read_object(raw).get("errors")
    except AmbiguousTextError:
        return []
    entries = cast("list[object]", found) if isinstance(found, list) else []
    known = [cast("dict[str, object]", entry) for entry in entries if isinstance(entry, dict)]
    return known[:_SHOWN_ERRORS]


def _error(entry: dict[str, object]) -> tuple[str, str]:
    code, message = entry.get("code"), entry.get("message")
    return (
        code[:_SHOWN_NAME] if isinstance(code, str) else "UNKNOWN",
        message[:_SHOWN_TEXT] if isinstance(message, str) else "",
    )


@dataclass(frozen=True, slots=True)
class TokenResponse:
    """A token server's response (ANS-07 to ANS-09). `expires_in` is in seconds, from 60 to 3,600."""

    value: str = field(repr=False)
    expires_in: int = SHORTEST_LIFE

    @classmethod
    def parse(cls, raw: bytes) -> Self:
        """Parse the body of a token server's response. If there are both `token` and `access_token`, the first is used.

        Raises:
            TokenError: There is no valid token. The message never shows the body.
        """
        try:
            tree = read_object(raw)
        except AmbiguousTextError:
            raise TokenError("the token server's response is not a JSON object") from None
        values = [value for name in ("token", "access_token") if isinstance(value := tree.get(name), str) and value]
        if not values:
            raise TokenError("the token server's response has neither token nor access_token")
        if not is_sendable(values[0]):
            raise TokenError("the token server returned a token with characters that are not allowed in a header")
        life = tree.get("expires_in")
        return cls(values[0], min(max(life, SHORTEST_LIFE), LONGEST_LIFE) if type(life) is int else SHORTEST_LIFE)
