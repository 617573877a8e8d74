"""The tags of a repository that lead to blobs of a registry's storage that are gone."""

from collections.abc import Iterable, Mapping, Sequence
from threading import Lock
from typing import Final

from dreg_client.models.index import Index, OciIndex
from dreg_client.models.manifest import OciManifest
from dreg_client.models.parse import Document
from dreg_client.values.digest import Digest

_MOST_NOTED: Final = 1_000_000
"""The number of references to note, which takes about 100 MB. No repository that is not made to is known to need it."""
_NAMED: Final = 3


class NeededBy:
    """The manifests that lead to blobs. Threads may share an instance.

    A manifest leads to what it names. It is reached from a tag, from an index that names it, or as a referrer: from the
    manifest that is its subject.

    Attributes:
        wanted: The digests of the blobs whose tags are requested. Without any, nothing is noted.
    """

    def __init__(self) -> None:
        self.wanted: set[Digest] = set()
        self._above: dict[Digest, list[Digest]] = {}
        self._left = _MOST_NOTED
        self._lock = Lock()

    @property
    def is_complete(self) -> bool:
        """Whether all references were noted; False after one million."""
        return self._left >= 0

    def add(self, manifest: Digest, named: Iterable[Digest], document: Document | None) -> None:
        """Note what a manifest names. `document` is None if it cannot be parsed."""
        if not self.wanted:
            return
        is_index = isinstance(document, Index)
        with self._lock:
            for digest in named:
                if is_index or digest in self.wanted:
                    self._note(digest, manifest)
            if isinstance(document, OciIndex | OciManifest) and document.subject is not None:
                self._note(manifest, document.subject.digest)

    def _note(self, digest: Digest, above: Digest) -> None:
        self._left -= 1
        if self._left >= 0:
            self._above.setdefault(digest, []).append(above)

    def tags(self, digests: Iterable[Digest], tagged: Mapping[Digest, Sequence[str]]) -> list[str]:
        """Return all tags that lead to a blob, sorted.

        Args:
            digests: The digests by which it may be named.
            tagged: The tags of each manifest.
        """
        found, seen, ahead = set[str](), set[Digest](), [*digests]
        while ahead:
            if (digest := ahead.pop()) not in seen:
                seen.add(digest)
                found.update(tagged.get(digest, ()))
                ahead += self._above.get(digest, ())
        return sorted(found)


def shown_tags(tags: Sequence[str]) -> str:
    """Return the first tags, and the number of the others.

    Examples:
        >>> shown_tags(["1.4"]), shown_tags(["1", "1.4", "1.4.2", "1.4.3", "latest"])
        ('the tag 1.4', 'the tags 1, 1.4, 1.4.2 and 2 more')
    """
    if len(tags) == 1:
        return f"the tag {tags[0]}"
    shown = ", ".join(tags[:_NAMED])
    return f"the tags {shown} and {len(tags) - _NAMED:,} more" if len(tags) > _NAMED else f"the tags {shown}"
