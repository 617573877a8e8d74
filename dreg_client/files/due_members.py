"""Find out which members of an archive its documents name, while it is decompressed."""

import sys
from collections.abc import Iterator
from typing import Final, cast

from dreg_client.files.forward import ForwardFile
from dreg_client.files.layout import MAX_INDEX, blob_name
from dreg_client.files.member_links import MemberLink, MemberLinks
from dreg_client.files.tar_headers import (
    FILES,
    HARD_LINK,
    LINKS,
    MAX_MEMBERS,
    MAX_NAMES,
    HeaderError,
    Member,
    members,
    safe_name,
)
from dreg_client.models.stored import read_or_scan
from dreg_client.values.digest import Digest, is_digest
from dreg_client.values.sizes import FAR, MAX_DOCUMENT

_MAX_NAMED: Final = MAX_NAMES // 2
"""The maximum total size of the names of blobs in documents, which are kept besides those of the members."""
_ANY: Final = sys.maxsize
"""The stated size of a member of which no size is stated."""
_NOWHERE: Final = (sys.maxsize, sys.maxsize)


class Survey:
    """A tar archive that is read once from its beginning to its end, without keeping it.

    Small members may be documents. A descriptor in any of them names a blob and states its size. The `manifest.json` of
    a docker-archive names members without sizes. Links lead from such names to other members.

    Attributes:
        others: The names of large members that no document names, or that are larger than stated.
    """

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self.others: frozenset[str] = frozenset()
        self._stream = ForwardFile(chunks)
        self._stated: dict[str, int] = {}
        self._named = 0
        self._files: dict[str, Member | None] = {}  # None: a small file
        self._links: dict[str, MemberLink] = {}

    def read(self) -> None:
        """Read the archive.

        Raises:
            HeaderError: A header is invalid.
            UnsafeLinkError: A link leads outside, or there are too many.
        """
        for member in members(self._stream, FAR):
            self._add(member)
        self._stream.seek(FAR)  # the bytes after the end of the archive are also limited
        links = MemberLinks(self._links.values(), self._files)
        most: dict[str, int] = {}
        for name, size in self._stated.items():
            target = links.follow(name)
            if self._files.get(target):
                most[target] = max(most.get(target, 0), size)
        self.others = frozenset(
            name for name, member in self._files.items() if member and len(member.place) > most.get(name, 0)
        )

    def _add(self, member: Member) -> None:
        name = safe_name(member.name)
        if not name:
            return
        if member.kind in LINKS:
            self._links[name] = MemberLink(name, member.link, member.kind == HARD_LINK)
        if member.kind not in FILES:
            return
        if name in self._files:
            raise HeaderError(f"has the member {name[:100]!a} twice")
        is_small = len(member.place) <= (MAX_INDEX if name == "index.json" else MAX_DOCUMENT)
        self._files[name] = None if is_small else member
        if is_small:
            self._stream.seek(member.place.start)
            self._find_names(self._stream.read(len(member.place)), name)

    def _find_names(self, raw: bytes, document: str) -> None:
        """Find the members that a document names. `manifest.json` may be that of a docker-archive."""
        if raw.lstrip()[:1] not in {b"{", b"["}:
            return
        # Wrapped, since `manifest.json` is a list. Nothing is rejected here: documents are checked when they are read.
        tree, _ = read_or_scan(b'{"document":' + raw + b"}", nul=False)
        waiting: list[object] = [tree]
        while waiting:
            node = waiting.pop()
            if isinstance(node, dict):
                values = cast("dict[str, object]", node)
                self._take_descriptor(values.get("digest"), values.get("size"))
                waiting += values.values()
            elif isinstance(node, list):
                waiting += cast("list[object]", node)
            elif document == "manifest.json" and isinstance(node, str) and (name := safe_name(node)):
                self._state(name, _ANY)

    def _take_descriptor(self, digest: object, size: object) -> None:
        if isinstance(digest, str) and isinstance(size, int) and is_digest(digest):
            self._state(blob_name(Digest(digest)), size)

    def _state(self, name: str, size: int) -> None:
        if name not in self._stated:
            self._named += len(name)
        self._stated[name] = max(self._stated.get(name, 0), size)
        if len(self._stated) > MAX_MEMBERS:
            raise HeaderError(f"has documents that name more than {MAX_MEMBERS:,} blobs")
        if self._named > _MAX_NAMED:
            raise HeaderError(
                f"has documents that name blobs with names of more than {_MAX_NAMED:,} characters in total"
            )

    def without_others(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        """Yield the same bytes again, without the members in `others` and their headers."""
        left_out = iter(sorted((member.start, member.stop) for member in map(self._files.get, self.others) if member))
        start, stop = next(left_out, _NOWHERE)
        place = 0
        for chunk in chunks:
            end = place + len(chunk)
            at = place
            while at < end:
                if at >= stop:
                    start, stop = next(left_out, _NOWHERE)
                elif at >= start:
                    at = min(stop, end)
                else:
                    yield chunk[at - place : start - place]
                    at = min(start, end)
            place = end
