"""What a writer of a layout has written, but not listed in `index.json` yet."""

from collections.abc import Callable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from math import inf
from threading import Lock
from time import monotonic
from typing import Final, Self

from dreg_client.models.descriptor import Descriptor
from dreg_client.models.index_text import IndexText, Naming
from dreg_client.protocol.content import RawManifest
from dreg_client.protocol.missing import named_manifests
from dreg_client.protocol.referrers import subject_in
from dreg_client.protocol.tag_conflicts import check_replaced
from dreg_client.values.digest import Digest

Change = Callable[[IndexText], bool]
"""A change of the index, which returns whether anything is different."""
_TAGS_WITHIN: Final = 1.0
"""The seconds between two changes of the index by deferred tags: each change is synced to disk."""


@dataclass(slots=True)
class _Unlisted:
    """What the end of a writer has to list.

    Attributes:
        unnamed: The manifests that were written by digest.
        referring: Those of them that have a subject. They are listed in any case, so that they are found as referrers.
        children: What the manifests that were written name.
        has_new_blobs: Whether the names of new blobs may not be on disk yet.
    """

    unnamed: dict[Digest, Descriptor] = field(default_factory=dict[Digest, Descriptor])
    referring: set[Digest] = field(default_factory=set[Digest])
    children: set[Digest] = field(default_factory=set[Digest])
    has_new_blobs: bool = False


class PendingEntries:
    """The entries of one writer: of a block in which a task or a thread, and those that it starts, write a layout.

    Blocks may be nested. What is left at the end of an inner block belongs to the outer one, unless that has ended.
    A context manager. Threads may share it.

    Args:
        layout: The layout that is written, because one task may write several.
        on_deferred: With it, tags may be written after they were added, several at a time. It is called with them once
            they were written.

    Attributes:
        outer: The writer of the block around this one; None if there is none.
    """

    def __init__(self, layout: object, on_deferred: Callable[[Sequence[str]], object] | None = None) -> None:
        self._layout, self._on_deferred = layout, on_deferred
        self.outer: PendingEntries | None = current_writer(layout)
        self._lock = Lock()
        self._is_open = True
        self._tags: list[Naming] = []
        self._kept: dict[str, str] = {}
        self._written = 0.0  # when; the first tag is written at once
        self._left = _Unlisted()

    def __enter__(self) -> Self:
        _writers.set((*_writers.get(), self))
        return self

    def __exit__(self, *error: object) -> None:
        with self._lock:
            self._is_open = False
        # Not by a token, because the block may end in another context than it began.
        _writers.set(tuple(it for it in _writers.get() if it is not self))

    def is_open_for(self, layout: object) -> bool:
        """Return whether this is a writer of a layout, and has not ended."""
        return self._is_open and self._layout is layout

    @property
    def has_new_blobs(self) -> bool:
        """Whether the names of new blobs may not be on disk yet."""
        return self._left.has_new_blobs

    def add_blob(self) -> None:
        """Note that a blob or a manifest was written."""
        self._left.has_new_blobs = True

    def add(self, manifest: RawManifest, entry: Descriptor, *, is_unnamed: bool) -> None:
        """Add a manifest that the layout has. If it has no name, it is listed unless another one names it."""
        with self._lock:
            self._left.children.update(named_manifests(manifest.raw))
            if is_unnamed:
                self._left.unnamed[entry.digest] = entry
                if subject_in(manifest.raw) is not None:
                    self._left.referring.add(entry.digest)

    def hand_over(self) -> bool:
        """Give what is left to the outer writer; return False if there is none, or if it has ended."""
        return self.outer is not None and self.outer.take_over(self._left)

    def take_over(self, left: _Unlisted) -> bool:
        """Add what an inner writer has left; return False if this one has ended."""
        with self._lock:
            if self._is_open:
                self._left.unnamed |= left.unnamed
                self._left.referring |= left.referring
                self._left.children |= left.children
                self._left.has_new_blobs |= left.has_new_blobs
            return self._is_open

    def roots(self) -> list[Descriptor]:
        """Return the manifests to list without a name."""
        children = self._left.children - self._left.referring
        return [entry for digest, entry in self._left.unnamed.items() if digest not in children]

    def defer(self, tag: Naming) -> bool:
        """Keep a tag for later, here or in an outer writer; return False if it must be written now."""
        if self._on_deferred is None:
            return self.outer is not None and self.outer.defer(tag)
        with self._lock:
            if self._is_open:
                self._tags.append(tag)
            return self._is_open

    def overdue(self) -> "PendingEntries | None":
        """Return the writer whose tags have waited long enough; None if there are none."""
        if self._on_deferred is None:
            return self.outer and self.outer.overdue()
        return self if self._tags and monotonic() - self._written > _TAGS_WITHIN else None

    @property
    def has_tags(self) -> bool:
        """Whether there are tags to write."""
        return bool(self._tags)

    def take_tags(self) -> list[Naming]:
        """Remove and return the tags to write now."""
        with self._lock:
            taken, self._tags, self._written = self._tags, [], monotonic()
        return taken

    def put_back(self, tags: list[Naming]) -> None:
        """Add tags again that could not be written, before those that were added meanwhile.

        They are written at the end of the writer: each attempt may wait for a lock.
        """
        with self._lock:
            self._tags, self._written = tags + self._tags, inf

    def end_tags(self, entries: "NewEntries") -> None:
        """Note that tags were written, apart from those that must not be replaced."""
        self._kept |= entries.kept
        if self._on_deferred is not None and entries.written:
            self._on_deferred(entries.written)

    def check(self) -> None:
        """Raise ConflictError if tags were not written because they must not be replaced."""
        check_replaced(self._kept)


def current_writer(layout: object) -> PendingEntries | None:
    """Return the innermost block that writes a layout, and that this task or thread is in; None if there is none."""
    return next((it for it in reversed(_writers.get()) if it.is_open_for(layout)), None)


_writers: Final[ContextVar[tuple[PendingEntries, ...]]] = ContextVar("_writers", default=())


class NewEntries:
    """A change of the index that adds tags, and manifests without a name.

    Tags that must not be replaced stay as they are. The others are written.

    Attributes:
        written: The tags that were written.
        kept: Those that were not, with the digests of the manifests that they name.
        done: Those that needed no change.
    """

    def __init__(self, tags: Sequence[Naming], roots: Sequence[Descriptor] = ()) -> None:
        self._tags, self._roots = tags, roots
        self.written: list[str] = []
        self.kept: dict[str, str] = {}
        self.done: list[str] = []

    def __call__(self, index: IndexText) -> bool:
        """Change the index; return whether anything is different."""
        wanted, self.kept, self.done = index.meeting(self._tags)
        self.written = [it.name for it in wanted]
        return index.name_all([(it.entry, it.name) for it in wanted]) | index.add_all(self._roots)
