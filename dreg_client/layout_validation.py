"""Validation of a layout: each document by its rules, each blob by its digest, and what they say of each other."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Final, TypeVar, cast

from dreg_client import errors
from dreg_client.asks import Named, name_in
from dreg_client.errors.problems import Problem, Severity
from dreg_client.files.rooted import chunks_of
from dreg_client.layout import MAX_INDEX, Layout, ref_name
from dreg_client.models import rules
from dreg_client.models.config import layer_count_remarks
from dreg_client.models.descriptor import Descriptor
from dreg_client.models.index import Index, LayoutIndex
from dreg_client.models.json_text import scan
from dreg_client.models.limits import MAX_DOCUMENT
from dreg_client.models.manifest import ImageManifest
from dreg_client.models.parse import KINDS, Document, recognise
from dreg_client.models.paths import item, show
from dreg_client.models.stored import examine
from dreg_client.validation.report import Report, validate
from dreg_client.values import media_type as types
from dreg_client.values.digest import Digest, digest_fault
from dreg_client.values.media_type import Family

T = TypeVar("T")
MAX_NESTED: Final = 8
_DOCUMENTS: Final = frozenset({Family.INDEX, Family.MANIFEST, Family.SCHEMA1, Family.CONFIG})
_PROVEN: Final = "a regular file with the bytes of its digest"


@dataclass(frozen=True, slots=True)
class FileReport:
    """What came of one file of a layout; `name` is its name below the layout's root."""

    name: str
    report: Report


@dataclass(frozen=True, slots=True)
class _Seen:
    """A document that was read: how many bytes it has, and the media types of its kind, none where that is unknown."""

    size: int
    media_types: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Claim:
    """What a document says of a file, and where it says so."""

    descriptor: Descriptor
    trail: str


@dataclass(frozen=True, slots=True)
class _Walk:
    """What a walk through the documents of a layout knows so far; None is a document that could not be read."""

    layout: Layout
    complete: bool
    pedantic: bool
    documents: dict[Digest, _Seen | None] = field(default_factory=dict[Digest, _Seen | None])
    content: dict[Digest, list[_Claim]] = field(default_factory=dict[Digest, list[_Claim]])


def validate_layout(
    layout: Layout, *, reference: Named = "", complete: bool = False, pedantic: bool = False, jobs: int = 1
) -> Iterator[FileReport]:
    """Validate what a layout holds: documents, blobs, and how they fit together (LYT-01 to LYT-10, CFG-21).

    Args:
        layout: The layout; its marker and its index were read already.
        reference: Validate only what this tag, digest or descriptor names, empty: everything.
        complete: Whether a missing blob is an error (LYT-04), not a warning.
        pedantic: Whether notes are reported, too.
        jobs: How many blobs are hashed side by side.

    Yields:
        A report a file: `index.json` first, then documents as the index leads to them, then the other blobs.

    Raises:
        NotFoundError: There is no such reference.
        ConflictError: It stands for several images (LYT-07).
        LayoutError: A directory cannot be listed.
    """
    walk = _Walk(layout, complete, pedantic)
    if reference:
        yield from _child(walk, _Claim(layout.resolve(reference), f"{layout.name}, {name_in(reference)}"), 1)
        yield from _side_by_side(jobs, lambda digest: _content(walk, digest), walk.content)
        return
    yield _index(walk)
    yield from _children(walk, layout.index.manifests, "index.json $.manifests", 0)
    yield from _side_by_side(jobs, lambda digest: _content(walk, digest), walk.content)
    yield from _side_by_side(jobs, lambda name: _unnamed(walk, name), _unnamed_files(walk))


def _side_by_side(jobs: int, look: Callable[[T], FileReport | None], things: Iterable[T]) -> Iterator[FileReport]:
    """Look at things in several threads, and tell of them in their order."""
    with ThreadPoolExecutor(max(jobs, 1)) as pool:
        yield from filter(None, pool.map(look, list(things)))


def _index(walk: _Walk) -> FileReport:
    index = walk.layout.index
    found = examine(LayoutIndex, index.raw, limit=MAX_INDEX).problems
    shown = (problem for problem in found if walk.pedantic or problem.severity is not Severity.NOTE)
    problems = (*shown, *_equal_names(index.manifests), *_missing_directory(walk.layout))
    return FileReport("index.json", Report(index.kind, index.digest, index.size, problems))


def _equal_names(entries: Iterable[Descriptor]) -> Iterator[Problem]:
    """LYT-07: one name, two digests."""
    named: dict[str, Digest] = {}
    for position, entry in enumerate(entries):
        name = ref_name(entry)
        if name is not None and named.setdefault(name, entry.digest) != entry.digest:
            found = f"the name {show(name)} of {named[name]}, too"
            yield rules.warning("LYT-07", item("$.manifests", position), found, "each name once")


def _missing_directory(layout: Layout) -> Iterator[Problem]:
    if not layout.files.has_directory("blobs"):
        yield rules.warning("LYT-09", "$", "no directory blobs", "the directory blobs, if empty")


# --- documents, as the index leads to them


def _children(walk: _Walk, entries: Iterable[Descriptor], path: str, depth: int) -> Iterator[FileReport]:
    for position, entry in enumerate(entries):
        yield from _child(walk, _Claim(entry, item(path, position)), depth + 1)


def _child(walk: _Walk, claim: _Claim, depth: int) -> Iterator[FileReport]:
    descriptor = claim.descriptor
    if descriptor.family not in _DOCUMENTS:
        walk.content.setdefault(descriptor.digest, []).append(claim)
    elif descriptor.digest in walk.documents:
        yield from filter(None, [_claimed_again(walk, claim)])
    elif depth > MAX_NESTED and descriptor.family is Family.INDEX:
        walk.documents[descriptor.digest] = None
        problem = rules.error("GEN-04", "$", f"an index at level {depth}, see {claim.trail}", f"at most {MAX_NESTED}")
        yield _lone(descriptor, problem)
    else:
        yield from _document(walk, claim, depth)


def _document(walk: _Walk, claim: _Claim, depth: int) -> Iterator[FileReport]:
    """A manifest, an index or a config, then what it names."""
    descriptor = claim.descriptor
    walk.documents[descriptor.digest] = None
    try:
        raw = walk.layout.files.read("blobs", *_parts(descriptor.digest), limit=MAX_DOCUMENT)
    except FileNotFoundError:
        yield _lone(descriptor, _missing(walk, claim))
        return
    except errors.DregError as failure:
        yield _lone(descriptor, _unreadable(failure))
        return
    report = _checked(raw, claim, pedantic=walk.pedantic)
    own = KINDS[report.kind].media_types if report.kind else ()
    walk.documents[descriptor.digest] = _Seen(len(raw), own)
    document = _parsed(raw, report)
    yield FileReport(_name(descriptor.digest), replace(report, problems=(*report.problems, *_fit(walk, document))))
    yield from _named_by(walk, document, _name(descriptor.digest), depth)


def _named_by(walk: _Walk, document: Document | None, name: str, depth: int) -> Iterator[FileReport]:
    match document:
        case Index():
            yield from _children(walk, document.manifests, f"{name} $.manifests", depth)
        case ImageManifest():
            yield from _child(walk, _Claim(document.config, f"{name} $.config"), depth + 1)
            yield from _children(walk, document.layers, f"{name} $.layers", depth)
        case _:
            pass


def _checked(raw: bytes, claim: _Claim, *, pedantic: bool) -> Report:
    """A document by its rules, and by what its descriptor says (LYT-03, LYT-05)."""
    digest = claim.descriptor.digest
    report = validate(raw, kind=_kind(raw, claim.descriptor), pedantic=pedantic)
    actual = Digest.of(raw, digest.algorithm) if digest.computable else None
    seen = _Seen(len(raw), KINDS[report.kind].media_types if report.kind else ())
    return replace(
        report, problems=(*_other_bytes(digest, actual, claim), *_other_claims(claim, seen), *report.problems)
    )


def _kind(raw: bytes, descriptor: Descriptor) -> str | None:
    """What a document says that it is; else what its descriptor says, unless its shape is another family's."""
    named = next((kind for kind, model in KINDS.items() if descriptor.media_type in model.media_types), None)
    if descriptor.family is Family.CONFIG:
        return named
    tree = scan(raw)[0] or {}
    found = recognise({"mediaType": tree.get("mediaType")})
    shaped = recognise({name: value for name, value in tree.items() if name != "mediaType"})
    if found is None and shaped is not None and types.family(shaped.media_types[0]) is not descriptor.family:
        found = shaped
    return found.kind if found else named


def _parsed(raw: bytes, report: Report) -> Document | None:
    """The document to walk on from, though its bytes may be others than were promised."""
    if report.kind is None or report.kind == "legacy-manifest":
        return None
    try:
        return cast("Document", KINDS[report.kind].parse(raw))
    except errors.DregError:
        return None


def _fit(walk: _Walk, document: Document | None) -> Iterator[Problem]:
    """CFG-21: as many diff_ids as layers; what is wrong with the config itself is told at its own file."""
    if not isinstance(document, ImageManifest):
        return
    try:
        config = walk.layout.get_config(document)
    except errors.DregError:
        return
    yield from layer_count_remarks(config, len(document.layers))


def _claimed_again(walk: _Walk, claim: _Claim) -> FileReport | None:
    """A document that was read already, of which another document may say something else.

    Where it is listed as content of a type of its own, as artifacts may list anything, its size alone counts.
    """
    digest = claim.descriptor.digest
    if (seen := walk.documents[digest]) is None:
        return None
    listed = claim.descriptor.family in _DOCUMENTS
    problems = tuple(_other_claims(claim, seen if listed else _Seen(seen.size, ())))
    return FileReport(_name(digest), Report(None, digest, seen.size, problems)) if problems else None


# --- what is said of bytes


def _other_bytes(expected: Digest, actual: Digest | None, claim: _Claim | None = None) -> Iterator[Problem]:
    if actual is not None and actual != expected:
        what = f", the {claim.descriptor.media_type} that {claim.trail} names" if claim else ""
        yield rules.error("LYT-03", "$", f"bytes of the digest {actual}", f"those of {expected}{what}")


def _other_claims(claim: _Claim, seen: _Seen) -> Iterator[Problem]:
    """LYT-05: the size and, for documents, the media type that a descriptor says."""
    said = claim.descriptor
    if seen.media_types and said.media_type not in seen.media_types:
        found = " or ".join(seen.media_types)
        yield rules.error("LYT-05", "$.mediaType", found, f"{said.media_type}, as {claim.trail} says")
    if seen.size != said.size:
        yield rules.error("LYT-05", "$", f"{seen.size} bytes", f"{said.size} bytes, as {claim.trail} says")


def _missing(walk: _Walk, claim: _Claim) -> Problem:
    verdict = rules.error if walk.complete else rules.warning
    return verdict("LYT-04", "$", "no such blob", f"the {claim.descriptor.media_type} that {claim.trail} names")


def _unreadable(failure: errors.DregError) -> Problem:
    if isinstance(failure, errors.ResponseTooLargeError):
        return rules.error("GEN-05", "$", f"{failure.size} bytes", f"at most {failure.limit} bytes")
    return rules.error("LYT-03", "$", str(failure), _PROVEN)


def _lone(descriptor: Descriptor, problem: Problem) -> FileReport:
    return FileReport(_name(descriptor.digest), Report(None, descriptor.digest, descriptor.size, (problem,)))


def _parts(digest: Digest) -> tuple[str, str]:
    return digest.algorithm, digest.encoded


def _name(digest: Digest) -> str:
    return "/".join(("blobs", *_parts(digest)))


# --- layers and other content, and what nothing names


def _content(walk: _Walk, digest: Digest) -> FileReport | None:
    """A blob that is no document, each once; None where nothing needs to be told."""
    claims = walk.content[digest]
    if digest in walk.documents:
        return next(filter(None, (_claimed_again(walk, claim) for claim in claims)), None)
    try:
        size, actual = _hashed(walk.layout, digest)
    except FileNotFoundError:
        elsewhere = any(claim.descriptor.urls for claim in claims)
        return None if elsewhere else _lone(claims[0].descriptor, _missing(walk, claims[0]))
    except errors.DregError as failure:
        return _lone(claims[0].descriptor, _unreadable(failure))
    said = (problem for claim in claims for problem in _other_claims(claim, _Seen(size, ())))
    problems = dict.fromkeys((*_other_bytes(digest, actual, claims[0]), *said))
    return FileReport(_name(digest), Report(None, digest, size, tuple(problems)))


def _hashed(layout: Layout, digest: Digest) -> tuple[int, Digest | None]:
    """The size and the digest of a blob's bytes; no digest where nothing can compute it.

    Raises:
        FileNotFoundError: There is no such blob.
        LayoutError: It cannot be read.
    """
    verifier = digest.verifier() if digest.computable else None
    size = 0
    with layout.files.open("blobs", *_parts(digest)) as file:
        for chunk in chunks_of(file, _name(digest)):
            size += len(chunk)
            if verifier:
                verifier.update(chunk)
    return size, verifier.digest() if verifier else None


def _unnamed_files(walk: _Walk) -> Iterator[str]:
    named = set(map(_name, (*walk.documents, *walk.content)))
    return (name for name in walk.layout.files.names("blobs") if name not in named)


def _unnamed(walk: _Walk, name: str) -> FileReport:
    """LYT-08 and LYT-10: a blob that nothing names, which is hashed, too; or a name that makes no digest."""
    text = name.removeprefix("blobs/").replace("/", ":", 1)
    if digest_fault(text) is not None or _name(Digest(text)) != name:
        expected = "a name that makes a digest: ALGORITHM/ENCODED"
        problem = rules.warning("LYT-10", "$", show(name.removeprefix("blobs/")), expected)
        readable = name.encode("utf-8", "backslashreplace").decode()
        return FileReport(readable, Report(None, Digest.of(b""), 0, (problem,)))
    digest = Digest(text)
    notes = (rules.note("LYT-08", "$", "a blob that nothing names", "blobs that are named"),) if walk.pedantic else ()
    try:
        size, actual = _hashed(walk.layout, digest)
    except (errors.DregError, FileNotFoundError) as failure:
        problem = rules.error("LYT-03", "$", str(failure), _PROVEN)
        return FileReport(name, Report(None, digest, 0, (problem, *notes)))
    return FileReport(name, Report(None, digest, size, (*_other_bytes(digest, actual), *notes)))
