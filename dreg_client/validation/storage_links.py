"""The checks of the links and uploads of a repository in the storage of a registry (STO-01, STO-03, STO-04, STO-06)."""

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import lru_cache
from typing import Final, NamedTuple, Self

from dreg_client import errors
from dreg_client.errors.problems import Problem
from dreg_client.files.held_directory import HeldDirectory
from dreg_client.files.registry_storage import LAYERS, REVISIONS, Links, StorageTree, data_path
from dreg_client.models import rules
from dreg_client.models.paths import show
from dreg_client.validation.report import FileReport, Report
from dreg_client.values.digest import Digest, is_registered_digest
from dreg_client.values.reference import RepositoryName, is_tag
from dreg_client.values.timestamp import Timestamp, is_timestamp

YOUNG: Final = 3600.0
"""Seconds for which an upload may last, and for which a blob may wait for its manifest, without a warning."""
_LONGEST_LINK: Final = 1024
_PAUSES: Final = (0.01, 0.05)
"""Seconds to wait before what may be half-written is read again: distribution 2 empties a link before it writes it."""
_RECENT: Final = 60
"""The number of seconds during which a link counts as just changed."""
_KNOWN_BLOBS: Final = 50_000
_Verdict = Callable[[str, str, str, str], Problem]
_NOTHING: Final = Digest.of(b"")


class StoredBlobs:
    """The blobs of a storage: which of them exist. The last ones are remembered: many images share base layers.

    A context manager, which closes the directories that it holds.
    """

    def __init__(self, tree: StorageTree) -> None:
        self._blobs = HeldDirectory(tree.files, "blobs")
        self.is_known = lru_cache(_KNOWN_BLOBS)(self.exists)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._blobs.__exit__()

    def exists(self, digest: Digest) -> bool:
        """Return whether there is a blob now."""
        return self._blobs.status(*data_path(digest).split("/")[1:]) is not None

    def read(self, digest: Digest, limit: int) -> bytes:
        """Read a blob; see `Files.read`."""
        return self._blobs.read(*data_path(digest).split("/")[1:], limit=limit)


class _Link(NamedTuple):
    """A link that was read: the digest in it; otherwise its size and what is wrong with it."""

    target: Digest | None
    size: int = 0
    found: str = ""


class LinkChecks:
    """The links of a repository. What vanishes while it is checked is not reported.

    Attributes:
        manifests: The digest of the stored bytes of each manifest, by the digest of its link.
        layers: The same for all other blobs.
        tagged: The first tag of each manifest.
    """

    def __init__(self, tree: StorageTree, repository: RepositoryName, blobs: StoredBlobs) -> None:
        self.tree, self.repository, self._blobs = tree, repository, blobs
        self.manifests: dict[Digest, Digest] = {}
        self.layers: dict[Digest, Digest] = {}
        self.tagged: dict[Digest, str] = {}
        self._gone: dict[Links, dict[Digest, Digest]] = {REVISIONS: {}, LAYERS: {}}
        self._malformed: dict[Links, set[Digest]] = {REVISIONS: set(), LAYERS: set()}

    def path(self, place: str) -> str:
        """Return the path of a file of the repository, for reports."""
        return f"{self.tree.files.name}/repositories/{self.repository}/{place}"

    def read_manifests(self) -> Iterator[FileReport]:
        """Read the links to manifests; report those that are malformed, or whose blob is gone."""
        yield from self._read(REVISIONS, self.manifests)
        for digest, target in self._gone[REVISIONS].items():
            yield self._gone_report(REVISIONS, digest, target, rules.error)

    def pushed_since(self, when: float) -> Iterator[Digest]:
        """Yield the digests of the stored bytes of manifests whose links were written since a time, or at any time."""
        place = f"repositories/{self.repository}/{REVISIONS}"
        for algorithm in self.tree.files.entries(place):
            with HeldDirectory(self.tree.files, f"{place}/{algorithm.name}") as held:
                for name in held.directories():
                    status = held.status(name, "link")
                    if status is not None and (status.modified is None or status.modified >= when):
                        link = _read_link(held, (name, "link"))
                        if link is not None and link.target is not None:
                            yield link.target

    def read_layers(self) -> Iterator[FileReport]:
        """Read the links to all other blobs; report those that are malformed."""
        return self._read(LAYERS, self.layers)

    def gone_layers(self, named: set[Digest] | None) -> Iterator[FileReport]:
        """Report links to blobs that are gone.

        The garbage collector of distribution 2 leaves such links behind. Nothing is lost, so it is only a note, if no
        manifest of the repository has `named` the blob. It is None if that is not known.
        """
        for digest, target in self._gone[LAYERS].items():
            is_needed = named is None or not named.isdisjoint({digest, target})
            yield self._gone_report(LAYERS, digest, target, rules.error if is_needed else rules.note)

    def is_reported(self, digest: Digest) -> bool:
        """Return whether a link is malformed, or leads to a blob that is gone, which is reported for that link."""
        return any(digest in reported for kind in (self._gone, self._malformed) for reported in kind.values())

    def _gone_report(self, links: Links, digest: Digest, target: Digest, verdict: _Verdict) -> FileReport:
        problem = verdict("STO-01", "$", f"a link to {target}, which is gone", f"a file {data_path(target)}")
        return self._report(f"{links}/{digest.algorithm}/{digest.encoded}/link", problem, digest)

    def _read(self, links: Links, into: dict[Digest, Digest]) -> Iterator[FileReport]:
        with HeldDirectory(self.tree.files, f"repositories/{self.repository}") as repository:
            algorithms = repository.directories(*links.split("/"))
        for algorithm in algorithms:
            with HeldDirectory(self.tree.files, f"repositories/{self.repository}/{links}/{algorithm}") as held:
                for name in held.directories():
                    yield from self._link(held, f"{links}/{algorithm}/{name}", links, into)

    def _link(self, held: HeldDirectory, place: str, links: Links, into: dict[Digest, Digest]) -> Iterator[FileReport]:
        """Read a link; add its target, or report it, or note that it leads to a blob that is gone."""
        _, algorithm, name = place.rsplit("/", 2)
        text = f"{algorithm}:{name}"
        digest = Digest(text) if is_registered_digest(text) else None
        link = _settled(held, (name, "link"), text)
        if link is None:  # a deleted link leaves its directory behind
            return
        if digest is None or link.target is None:
            if digest is not None:
                self._malformed[links].add(digest)
            yield self._malformed_report(f"{place}/link", link, text)
        elif self._blobs.is_known(link.target) or self._exists_now(held, name, text, link.target):
            into[digest] = link.target
        elif _read_link(held, (name, "link"), text) is not None:
            self._gone[links][digest] = link.target

    def _exists_now(self, held: HeldDirectory, name: str, text: str, target: Digest) -> bool:
        """Look again for a blob that was missing, unless its link was deleted meanwhile."""
        return _read_link(held, (name, "link"), text) is not None and self._blobs.exists(target)

    # --- tags

    def read_tags(self) -> Iterator[FileReport]:
        """Read the links of all tags; report those that name no manifest, or are malformed."""
        start = f"repositories/{self.repository}/_manifests/tags"
        with HeldDirectory(self.tree.files, start) as held:
            for tag in held.directories():
                yield from self._tag(held, tag)
                yield from self._history(held, tag)

    def _tag(self, held: HeldDirectory, tag: str) -> Iterator[FileReport]:
        place = f"_manifests/tags/{tag}"
        if not is_tag(tag):
            yield self._report(place, rules.error("STO-03", "$", show(tag), "a directory whose name is a valid tag"))
            return
        link = _settled(held, (tag, "current", "link"))
        if link is None:
            if tag in held.directories():
                problem = rules.error("STO-03", "$", "a tag without a file current/link", "a link to a manifest")
                yield self._report(place, problem)
        elif link.target is None:
            yield self._malformed_report(f"{place}/current/link", link, "")
        elif missing := self._missing(link.target):
            now = _read_link(held, (tag, "current", "link"))
            if now is not None and now.target == link.target:
                problem = rules.error("STO-03", "$", f"a link to {link.target}, {missing}", "a manifest that exists")
                yield self._report(f"{place}/current/link", problem, link.target)
        else:
            self.tagged.setdefault(link.target, tag)

    def _missing(self, digest: Digest) -> str:
        """Return why a manifest that a tag names cannot be read; empty if it can, or its own link is reported."""
        if digest in self.manifests or digest in self._malformed[REVISIONS]:
            return ""
        if digest in self._gone[REVISIONS]:
            return "whose blob is gone"
        with suppress(FileNotFoundError, errors.LayoutError):  # it may have been pushed meanwhile
            self.tree.target(self.repository, REVISIONS, digest)
            return ""
        return f"which has no link in {REVISIONS}"

    def _history(self, held: HeldDirectory, tag: str) -> Iterator[FileReport]:
        """Check the links to all manifests that a tag has named, which the garbage collector reads.

        They may be gone: a manifest is deleted without them.
        """
        for algorithm in held.directories(tag, "index"):
            for name in held.directories(tag, "index", algorithm):
                text = f"{algorithm}:{name}"
                link = _settled(held, (tag, "index", algorithm, name, "link"), text)
                if link is not None and (link.target is None or not is_registered_digest(text)):
                    yield self._malformed_report(f"_manifests/tags/{tag}/index/{algorithm}/{name}/link", link, text)

    # --- uploads

    def uploads(self, now: float) -> Iterator[FileReport]:
        """Report uploads that have not ended (STO-04), with their bytes. `now` is in seconds since 1970."""
        for name in self.tree.uploads(self.repository):
            place = f"repositories/{self.repository}/_uploads/{name}"
            with HeldDirectory(self.tree.files, place) as held:
                started, data = _started(held), held.status("data")
            if name not in self.tree.uploads(self.repository):  # it has ended meanwhile
                continue
            size = data.size if data else 0
            if started is None and data:
                started = data.modified
            is_young = started is not None and now - started < YOUNG
            began = "began at an unknown time" if started is None else f"began {ago(now - started)} ago"
            verdict = rules.note if is_young else rules.warning
            found = f"an upload of {size} bytes that {began}"
            problem = verdict("STO-04", "$", found, "a completed or cancelled upload")
            yield self._report(f"_uploads/{name}", problem, size=size)

    # --- reports

    def _malformed_report(self, place: str, link: _Link, text: str) -> FileReport:
        is_path_valid = not text or is_registered_digest(text)
        expected = (text or "a digest") if is_path_valid else "a path with a digest: ALGORITHM/HEX/link"
        found = link.found or f"a link in a directory that is not named by a digest: {show(text)}"
        return self._report(place, rules.error("STO-06", "$", found, expected), size=link.size)

    def _report(self, place: str, problem: Problem, digest: Digest = _NOTHING, size: int = 0) -> FileReport:
        return FileReport(self.path(place), Report(None, digest, size, (problem,)))


def _settled(held: HeldDirectory, parts: tuple[str, ...], text: str = "") -> _Link | None:
    """Read a link; None if there is none. What may be half-written is read again."""
    link = _read_link(held, parts, text)
    for pause in _PAUSES:
        if link is not None and link.target is not None:
            break
        if link is None and text:  # a deleted link; only a tag has its directory before its link
            break
        if link is not None and not _is_recent(held, parts):
            break
        time.sleep(pause)
        link = _read_link(held, parts, text)
    return link


def _is_recent(held: HeldDirectory, parts: tuple[str, ...]) -> bool:
    """Return whether a link was changed just now."""
    status = held.status(*parts)
    return status is not None and status.modified is not None and time.time() - status.modified < _RECENT


def _read_link(held: HeldDirectory, parts: tuple[str, ...], text: str = "") -> _Link | None:
    """Read a link once; None if there is none. `text` is the digest that it must contain, if its path names one.

    A digest of another algorithm is accepted: distribution stores all blobs by their sha256 digest.
    """
    try:
        raw = held.read(*parts, limit=_LONGEST_LINK)
    except FileNotFoundError:
        return None
    except errors.ResponseTooLargeError as failure:
        return _Link(None, failure.size, f"{failure.size} bytes")
    except errors.LayoutError as failure:
        return _Link(None, 0, f"a link that cannot be read: {failure.reason}")
    found = raw.decode("ascii", "backslashreplace")
    if not is_registered_digest(found):
        return _Link(None, len(raw), show(found) if found else "an empty file")
    digest = Digest(found)
    if text and found != text and digest.algorithm == text.partition(":")[0]:
        return _Link(None, len(raw), f"{found}, another digest than that of its path")
    return _Link(digest, len(raw))


def _started(held: HeldDirectory) -> float | None:
    """Return when an upload began, in seconds since 1970; None if it does not state it."""
    with suppress(FileNotFoundError, errors.LayoutError, errors.ResponseTooLargeError):
        text = held.read("startedat", limit=_LONGEST_LINK).decode("ascii", "replace").strip()
        if is_timestamp(text):
            return Timestamp(text).datetime.timestamp()
    return None


def ago(seconds: float) -> str:
    """Return an age in the largest unit of which there are two or more.

    Examples:
        >>> ago(7200), ago(90_000), ago(1_000_000)
        ('2 hours', '25 hours', '11 days')
    """
    for name, length in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{int(seconds // length)} {name}"
    return f"{max(int(seconds), 0)} seconds"
