"""The checks of the links of a repository in the storage of a registry (STO-01, 03, 06)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from dreg_client import errors
from dreg_client.errors.problems import Problem
from dreg_client.files.at_once import map_at_once
from dreg_client.files.held_directory import HeldDirectory
from dreg_client.files.registry_storage import LAYERS, REVISIONS, Links, data_path
from dreg_client.files.storage_link import Link, is_damage, read_link, settled_link
from dreg_client.models import rules
from dreg_client.models.paths import show
from dreg_client.validation.report import FileReport
from dreg_client.validation.storage_entries import file_report
from dreg_client.validation.storage_needs import NeededBy, shown_tags
from dreg_client.validation.storage_places import RepositoryPlaces
from dreg_client.validation.storage_reading import StoredBlobs
from dreg_client.values.digest import Digest, is_registered_digest
from dreg_client.values.reference import is_tag

_Verdict = Callable[[str, str, str, str], Problem]


@dataclass(frozen=True, slots=True)
class _Linked:
    """A link to a blob that exists."""

    digest: Digest
    target: Digest


@dataclass(frozen=True, slots=True)
class _GoneBlob:
    """A link to a blob that is gone."""

    digest: Digest
    target: Digest


@dataclass(frozen=True, slots=True)
class _Tagged:
    """A tag, and the digest that it names; there is a report if no such manifest exists."""

    target: Digest
    report: FileReport | None = None


@dataclass(frozen=True, slots=True)
class _Malformed:
    """A link or a tag that leads to nothing; `digest` is that of the path of a link, if it is a valid one."""

    report: FileReport
    digest: Digest | None = None


@dataclass(frozen=True, slots=True)
class _Unread:
    """A link or a tag that could not be read."""

    failure: errors.LayoutError


class _Absent:
    """A link or a tag that does not exist, perhaps because it was deleted meanwhile."""


class _Moved:
    """A tag that was moved to another manifest meanwhile."""


_Link = _Linked | _GoneBlob | _Malformed | _Unread | _Absent
_Tag = _Tagged | _Malformed | _Unread | _Absent | _Moved


def gone_problem(target: Digest, needs: str, verdict: _Verdict = rules.error) -> Problem:
    """Return the problem of a link to a blob that is gone (STO-01). `needs` says which tags lead to it."""
    return verdict("STO-01", "$", f"a link to {target}, which is gone{needs}", f"a file {data_path(target)}")


class LinkChecks:
    """The links of a repository. What vanishes while it is checked is not reported.

    Args:
        places: The directories of the repository. What could not be read is noted in its `reach`.
        blobs: The blobs of the storage.

    Attributes:
        manifests: The digest of the stored bytes of each manifest, by the digest of its link.
        layers: The same for all other blobs.
        tagged: The tags of each manifest, also of one that is gone.
        needed_by: What leads to the blobs and manifests that are gone, for their reports.
    """

    def __init__(self, places: RepositoryPlaces, blobs: StoredBlobs) -> None:
        self.places: RepositoryPlaces = places
        self.manifests: dict[Digest, Digest] = {}
        self.layers: dict[Digest, Digest] = {}
        self.tagged: dict[Digest, list[str]] = {}
        self.needed_by: NeededBy = NeededBy()
        self._blobs, self._files, self._reach = blobs, places.tree.files, places.reach
        self._knows_tags = True
        self._gone: dict[Links, dict[Digest, Digest]] = {REVISIONS: {}, LAYERS: {}}
        self._malformed = places.malformed

    def read_manifests(self) -> Iterator[FileReport]:
        """Read the links to manifests; report those that are malformed."""
        return self._read(REVISIONS, self.manifests)

    def read_layers(self) -> Iterator[FileReport]:
        """Read the links to all other blobs; report those that are malformed."""
        return self._read(LAYERS, self.layers)

    def gone_blobs(self, named: set[Digest] | None) -> Iterator[FileReport]:
        """Report links to manifests and other blobs that are gone, with the tags that lead to them.

        The garbage collector of distribution 2 leaves the links of layers behind. Nothing is lost, so it is only a
        note, if no manifest of the repository has `named` the layer. It is None if that is not known.
        """
        gone = self._gone[REVISIONS]
        is_known = named is not None and self._knows_tags and self.needed_by.is_complete
        is_known = is_known and not self._malformed[REVISIONS]
        for digest, target in gone.items():
            needs = self._needs(digest, target, is_known and len(gone) == 1)  # another one may be an index with it
            yield self._gone_report(REVISIONS, digest, target, rules.error, needs)
        for digest, target in self._gone[LAYERS].items():
            is_needed = named is None or bool(gone) or not named.isdisjoint({digest, target})
            needs = self._needs(digest, target, is_known and is_needed and not gone)
            yield self._gone_report(LAYERS, digest, target, rules.error if is_needed else rules.note, needs)

    def _needs(self, digest: Digest, target: Digest, is_known: bool) -> str:  # noqa: FBT001 (private)
        """Return which tags lead to a blob; that there are none, only if all tags and manifests are known."""
        if tags := self.needed_by.tags({digest, target}, self.tagged):
            return f"; needed by {shown_tags(tags)}"
        return "; no tag leads to it" if is_known else ""

    def is_reported(self, digest: Digest) -> bool:
        """Return whether a link is malformed, or leads to a blob that is gone, which is reported for that link."""
        return any(digest in reported for kind in (self._gone, self._malformed) for reported in kind.values())

    def _gone_report(self, links: Links, digest: Digest, target: Digest, verdict: _Verdict, needs: str) -> FileReport:
        problem = gone_problem(target, needs, verdict)
        return file_report(self.places.path(f"{links}/{digest.algorithm}/{digest.encoded}/link"), problem, digest)

    def _read(self, links: Links, into: dict[Digest, Digest]) -> Iterator[FileReport]:
        try:
            with HeldDirectory(self._files, f"{self.places.root}/{links}") as outer:
                algorithms = yield from self.places.directories(outer, links)
            for algorithm in algorithms:
                yield from self._read_algorithm(links, algorithm, into)
        except errors.LayoutError as failure:
            self._reach.note_unread(failure)

    def _read_algorithm(self, links: Links, algorithm: str, into: dict[Digest, Digest]) -> Iterator[FileReport]:
        place = f"{links}/{algorithm}"
        with HeldDirectory(self._files, f"{self.places.root}/{place}") as held:
            names = yield from self.places.directories(held, place)
            check = partial(self._link, held, place)
            for found in map_at_once(check, names, self._files.at_once):
                if isinstance(found, _Malformed):
                    yield found.report
                self._note(found, links, into)

    def _note(self, found: _Link, links: Links, into: dict[Digest, Digest]) -> None:
        """Add a link that was read, or note what is wrong with it."""
        match found:
            case _Linked(digest, target):
                into[digest] = target
            case _GoneBlob(digest, target):
                self._gone[links][digest] = target
                self.needed_by.wanted.update({digest, target})
                if links == REVISIONS:
                    self._reach.note_unknown(f"{self._files.name}/{data_path(target)}", "is a manifest that is gone")
            case _Malformed(report, digest):
                self._malformed[links].update({digest} if digest is not None else ())
                if links == REVISIONS:
                    self._reach.note_unknown(report.name, "is malformed")
            case _Unread(failure):
                self._reach.note_unread(failure)
            case _Absent():
                pass

    def _link(self, held: HeldDirectory, place: str, name: str) -> _Link:
        """Read a link, and find out whether its blob exists."""
        text = f"{place.rpartition('/')[2]}:{name}"
        digest = Digest(text) if is_registered_digest(text) else None
        try:
            link = settled_link(held, (name, "link"), text)
            if link is None:  # a deleted link leaves its directory behind
                return _Absent()
            if digest is None or link.target is None:
                return _Malformed(self._malformed_report(f"{place}/{name}/link", link, text), digest)
            if self._blobs.size(link.target) is not None:
                return _Linked(digest, link.target)
            if read_link(held, (name, "link"), text) is None:  # deleted meanwhile, and its blob with it
                return _Absent()
            # That it is gone may be remembered from before it was pushed again.
            is_gone = self._blobs.size_now(link.target) is None
            return _GoneBlob(digest, link.target) if is_gone else _Linked(digest, link.target)
        except errors.LayoutError as failure:
            return _Unread(failure)

    def read_tags(self) -> Iterator[FileReport]:
        """Read the links of all tags; report those that name no manifest, or are malformed."""
        place = "_manifests/tags"
        try:
            with HeldDirectory(self._files, f"{self.places.root}/{place}") as held:
                tags = yield from self.places.directories(held, place)
                found = map_at_once(partial(self._tag, held), tags, self._files.at_once)
                for tag, (current, reports) in zip(tags, found, strict=True):
                    yield from reports
                    self._note_tag(tag, current)
        except errors.LayoutError as failure:
            self._knows_tags = False
            self._reach.note_unread(failure)

    def _note_tag(self, tag: str, current: _Tag) -> None:
        match current:
            case _Tagged(target):
                self.tagged.setdefault(target, []).append(tag)
            case _Unread(failure):
                self._knows_tags = False
                self._reach.note_unread(failure)
            case _Malformed() | _Moved():
                self._knows_tags = False
            case _Absent():
                pass

    def _tag(self, held: HeldDirectory, tag: str) -> tuple[_Tag, list[FileReport]]:
        """Read the link of a tag, and those to all manifests that it has named; return what it names, and reports."""
        if not is_tag(tag):
            problem = rules.error("STO-03", "$", show(tag), "a directory whose name is a valid tag")
            report = file_report(self.places.path(f"_manifests/tags/{tag}"), problem)
            return _Malformed(report), [report]
        try:
            current, history = self._current(held, tag), [*self._history(held, tag)]
        except errors.LayoutError as failure:
            return _Unread(failure), []
        match current:
            case _Tagged(report=FileReport() as report) | _Malformed(report):
                return current, [report, *history]
            case _:
                return current, history

    def _current(self, held: HeldDirectory, tag: str) -> _Tag:
        place = f"_manifests/tags/{tag}"
        link = settled_link(held, (tag, "current", "link"), may_follow=True)
        if link is None:
            if not held.has(tag):
                return _Absent()
            problem = rules.error("STO-03", "$", "a tag without a file current/link", "a link to a manifest")
            return _Malformed(file_report(self.places.path(place), problem))
        if link.target is None:
            return _Malformed(self._malformed_report(f"{place}/current/link", link, ""))
        if missing := self._missing(link.target):
            now = read_link(held, (tag, "current", "link"))
            if now is None or now.target != link.target:
                return _Absent() if now is None else _Moved()
            problem = rules.error("STO-03", "$", f"a link to {link.target}, {missing}", "a manifest that exists")
            return _Tagged(link.target, file_report(self.places.path(f"{place}/current/link"), problem, link.target))
        return _Tagged(link.target)

    def _missing(self, digest: Digest) -> str:
        """Return why a manifest that a tag names cannot be read; empty if it can, or its own link is reported."""
        if digest in self.manifests or digest in self._malformed[REVISIONS]:
            return ""
        if digest in self._gone[REVISIONS]:
            return "whose blob is gone"
        try:  # it may have been pushed meanwhile
            self.places.tree.target(self.places.repository, REVISIONS, digest)
        except FileNotFoundError:
            return f"which has no link in {REVISIONS}"
        except errors.LayoutError as failure:
            return "" if not is_damage(failure) else f"which has no valid link in {REVISIONS}"
        return ""

    def _history(self, held: HeldDirectory, tag: str) -> Iterator[FileReport]:
        """Check the links to all manifests that a tag has named, which the garbage collector reads.

        They may be gone: a manifest is deleted without them.
        """
        place = f"_manifests/tags/{tag}/index"
        for algorithm in (yield from self.places.directories(held, place, tag, "index")):
            inner = f"{place}/{algorithm}"
            for name in (yield from self.places.directories(held, inner, tag, "index", algorithm)):
                text = f"{algorithm}:{name}"
                link = settled_link(held, (tag, "index", algorithm, name, "link"), text)
                if link is not None and (link.target is None or not is_registered_digest(text)):
                    yield self._malformed_report(f"{inner}/{name}/link", link, text)

    def _malformed_report(self, place: str, link: Link, text: str) -> FileReport:
        is_path_valid = not text or is_registered_digest(text)
        expected = (text or "a digest") if is_path_valid else "a path with a digest: ALGORITHM/HEX/link"
        found = link.found or f"a link in a directory that is not named by a digest: {show(text)}"
        return file_report(self.places.path(place), rules.error("STO-06", "$", found, expected))
