"""The list of all manifests that Google's registries (GCR and GAR) add to a tag list, as its member `manifest`.

Example: `{"tags": ["1.4"], "manifest": {"sha256:...": {"mediaType": "...", "tag": ["1.4"], "imageSizeBytes": "123",
"timeCreatedMs": "1700000000000", "timeUploadedMs": "1700000000000"}}, "child": []}`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final, cast

from dreg_client import errors
from dreg_client._logging import log
from dreg_client.models.json_text import AmbiguousTextError, read_object
from dreg_client.protocol.messages import Response
from dreg_client.protocol.redact import redacted_text
from dreg_client.protocol.tags_and_catalog import Pages, tag_list
from dreg_client.values.digest import Digest, is_digest
from dreg_client.values.json_values import NAME
from dreg_client.values.reference import RepositoryName
from dreg_client.values.sizes import MEBIBYTE

MAX_LISTED: Final = 1_000_000
MAX_PAGE: Final = 32 * MEBIBYTE
"""The most bytes of a page: about 100,000 manifests, for a registry that sends all of them in one page."""
_PAGE: Final = 1000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SHOWN: Final = 100
_LONGEST_NUMBER: Final = 18


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedManifest:
    """A manifest or index in a registry's list of all its manifests, with and without a tag.

    The dates can tell the age of an image whose config has no date. No other registry states when an image was
    uploaded.

    Attributes:
        digest: Its digest.
        media_type: Its media type; empty if the list does not state it.
        tags: Its tags. Children of indexes and referrers usually have none.
        created: When the image was made, by its config; None if the list does not state it.
        uploaded: When it was uploaded last; None if the list does not state it.
    """

    digest: Digest
    media_type: str = ""
    tags: tuple[str, ...] = ()
    created: datetime | None = None
    uploaded: datetime | None = None

    def date(self, earliest: datetime) -> datetime | None:
        """Return when the image was made, or else when it was uploaded. Dates before `earliest` are unknown.

        Examples:
            >>> listed = ListedManifest(digest=Digest("sha256:" + 64 * "0"), created=datetime(1970, 1, 1))
            >>> print(listed.date(datetime(1980, 1, 2)))
            None
        """
        known = (date for date in (self.created, self.uploaded) if date is not None and date >= earliest)
        return next(known, None)


class AllListed:
    """The manifests of all pages of a list, each once. If two pages have one, it has the tags of both.

    Args:
        what: What is listed, for messages.
    """

    def __init__(self, what: str) -> None:
        self._what = what
        self._found: dict[Digest, ListedManifest] | None = None

    def add(self, listed: tuple[ListedManifest, ...] | None) -> bool:
        """Add those of a page, or None if it does not have the member; return whether this or an earlier page had it.

        Raises:
            TooManyEntriesError: There are more than a million.
        """
        if self._found is None:
            if listed is None:
                return False
            self._found = {}
        for each in listed or ():
            known = self._found.get(each.digest)
            tags = each.tags if known is None else tuple(dict.fromkeys([*known.tags, *each.tags]))
            self._found[each.digest] = replace(each, tags=tags)
        if len(self._found) > MAX_LISTED:
            raise errors.TooManyEntriesError(self._what, MAX_LISTED, "manifests", "name the digests to delete instead")
        return True

    def all(self) -> tuple[ListedManifest, ...]:
        """Return the manifests."""
        return tuple((self._found or {}).values())


def manifest_pages(repository: RepositoryName) -> Pages:
    """Return the pages of a tag list with all manifests, for the registry itself."""
    first = tag_list(repository)
    return Pages(replace(first, target=f"{first.target}?n={_PAGE}", limit=MAX_PAGE, mirrored=False))


def parse_listed(response: Response) -> tuple[ListedManifest, ...] | None:
    """Return the manifests in a page of a tag list; None if the page has no such member. `null` is an empty list.

    Members that are missing are unknown. Entries whose digest is not valid are skipped with a warning.

    Raises:
        ProtocolError: The page is not a JSON object, or a member of an entry has the wrong type. A manifest that has
            tags must not be mistaken for one without a tag.
    """
    try:
        tree = read_object(response.body, NAME)
    except AmbiguousTextError as failure:
        what = failure.problems[0] if failure.problems else "not readable"
        raise errors.ProtocolError(f"the tag list is not a valid JSON object: {what}", response.where) from None
    if "manifest" not in tree:
        return None
    found = tree["manifest"]
    if found is None:
        return ()
    if not isinstance(found, dict):
        raise errors.ProtocolError("the member `manifest` of the tag list must be an object", response.where)
    return tuple(_listed(cast("dict[str, object]", found), response))


def _listed(entries: dict[str, object], response: Response) -> Iterator[ListedManifest]:
    for digest, entry in entries.items():
        if not is_digest(digest):
            shown = redacted_text(digest[:_SHOWN], response)
            log.warning("%s: skipping %r, which is not a valid digest", response.where, shown)
        elif not isinstance(entry, dict):
            raise _malformed(digest, "is not an object", response)
        else:
            yield _entry(Digest(digest), cast("dict[str, object]", entry), response)


def _entry(digest: Digest, members: dict[str, object], response: Response) -> ListedManifest:
    tags, media_type = members.get("tag"), members.get("mediaType")
    if tags is None:
        tags = []
    if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in cast("list[object]", tags)):
        raise _malformed(digest, "has a member `tag` that is not a list of strings", response)
    if media_type is not None and not isinstance(media_type, str):
        raise _malformed(digest, "has a member `mediaType` that is not a string", response)
    return ListedManifest(
        digest=digest,
        media_type=media_type or "",
        tags=tuple(cast("list[str]", tags)),
        created=_date(members.get("timeCreatedMs")),
        uploaded=_date(members.get("timeUploadedMs")),
    )


def _malformed(digest: str, what: str, response: Response) -> errors.ProtocolError:
    return errors.ProtocolError(f"the entry {digest} of the member `manifest` of the tag list {what}", response.where)


def _date(milliseconds: object) -> datetime | None:
    """Return a date that is given in milliseconds, as a number or a string; None if it is not valid."""
    text = str(milliseconds)
    if isinstance(milliseconds, bool) or not text.isascii() or not text.isdigit() or len(text) > _LONGEST_NUMBER:
        return None
    try:
        return _EPOCH + timedelta(milliseconds=int(text))
    except OverflowError:
        return None
