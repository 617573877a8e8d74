"""Validation of a whole layout: each document by its rules, each blob by its digest, and what they say of each other."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Final, cast

from dreg_client import errors
from dreg_client.layout import Layout, ref_name
from dreg_client.models import rules
from dreg_client.models.config import ImageConfig
from dreg_client.models.descriptor import Descriptor
from dreg_client.models.index import Index
from dreg_client.models.manifest import ImageManifest
from dreg_client.models.parse import KINDS, Document
from dreg_client.models.paths import item, member, show
from dreg_client.models.stored import MAX_DOCUMENT, MEBIBYTE
from dreg_client.models.validation import Report, validate
from dreg_client.problems import Problem, Severity
from dreg_client.values import media_type as types
from dreg_client.values.digest import Digest, digest_fault
from dreg_client.values.media_type import Family

MAX_NESTED: Final = 8
_TOP: Final = frozenset({"oci-layout", "index.json"})


@dataclass(frozen=True, slots=True)
class FileReport:
    """What came of one file of a layout; `name` is its name below the layout's root."""

    name: str
    report: Report


@dataclass(slots=True)
class _Walk:
    """What a walk through the documents of a layout knows so far."""

    layout: Layout
    complete: bool
    pedantic: bool
    seen: set[Digest] = field(default_factory=set[Digest])
    content: dict[Digest, list[tuple[Descriptor, str]]] = field(
        default_factory=dict[Digest, list[tuple[Descriptor, str]]]
    )


def validate_layout(
    layout: Layout, *, reference: str = "", complete: bool = False, pedantic: bool = False, jobs: int = 1
) -> Iterator[FileReport]:
    """Validate what a layout holds: documents, blobs, and how they fit together (LYT-01 to LYT-10, CFG-21).

    Args:
        layout: The layout; its marker and its index were read already.
        reference: Validate only what this tag or digest names, empty: everything.
        complete: Whether a missing blob is an error (LYT-04), not a warning.
        pedantic: Whether notes are reported, too.
        jobs: How many blobs are hashed side by side.

    Yields:
        A report a file: `index.json` first, then documents as the index leads to them, then the other blobs.
    """
    walk = _Walk(layout, complete, pedantic)
    if reference:
        yield from _document(walk, layout.resolve(reference), f"{layout.name}, {reference}", 1)
    else:
        yield _index(walk)
        yield from _children(walk, layout.index, "index.json", "$.manifests", layout.index.manifests, 0)
    yield from _blobs(walk, jobs)
    if not reference:
        yield from _unnamed(walk)


def _index(walk: _Walk) -> FileReport:
    layout = walk.layout
    report = validate(layout.index.raw, kind="oci-index", pedantic=walk.pedantic, limit=len(layout.index.raw))
    kept = tuple(problem for problem in report.problems if problem.rule != "IDX-10")
    problems = (*kept, *_equal_names(layout.index.manifests), *_missing_directory(layout))
    return FileReport("index.json", replace(report, problems=problems))


def _equal_names(entries: Iterable[Descriptor]) -> Iterator[Problem]:
    """LYT-07: one name, two digests."""
    named: dict[str, Digest] = {}
    for position, entry in enumerate(entries):
        name = ref_name(entry)
        if name is not None and named.setdefault(name, entry.digest) != entry.digest:
            found = f"the name {show(name)} of {named[name]}, too"
            yield rules.warning("LYT-07", item("$.manifests", position), found, "each name once")


def _missing_directory(layout: Layout) -> Iterator[Problem]:
    if not layout.index.manifests and not any(name.startswith("blobs/") for name in layout.files.names()):
        yield rules.warning("LYT-09", "$", "no directory blobs", "the directory blobs, if empty")


def _children(
    walk: _Walk, parent: Document, name: str, path: str, entries: tuple[Descriptor, ...], depth: int
) -> Iterator[FileReport]:
    for position, entry in enumerate(entries):
        trail = f"{name} {item(path, position)}"
        if entry.family in {Family.INDEX, Family.MANIFEST, Family.SCHEMA1}:
            yield from _document(walk, entry, trail, depth + 1)
        else:
            walk.content.setdefault(entry.digest, []).append((entry, trail))


def _document(walk: _Walk, descriptor: Descriptor, trail: str, depth: int) -> Iterator[FileReport]:
    """A manifest or an index, then what it names."""
    if descriptor.digest in walk.seen:
        return
    walk.seen.add(descriptor.digest)
    name = _file_name(descriptor.digest)
    if depth > MAX_NESTED:
        problem = rules.error("LYT-05", "$", f"the {depth}th level of indexes", f"at most {MAX_NESTED}")
        yield _lone(descriptor, problem, name)
        return
    try:
        raw = _read(walk.layout, descriptor)
    except errors.DregError as failure:
        yield _lone(descriptor, _unreadable(walk, descriptor, trail, failure), name)
        return
    report = _checked(raw, descriptor, trail, walk.pedantic)
    document = _parsed(raw, report)
    config = _config(walk, document, name) if isinstance(document, ImageManifest) else None
    yield FileReport(name, replace(report, problems=(*report.problems, *_fit(document, config))))
    yield from _named_by(walk, document, name, depth)


def _named_by(walk: _Walk, document: Document | None, name: str, depth: int) -> Iterator[FileReport]:
    match document:
        case Index():
            yield from _children(walk, document, name, "$.manifests", document.manifests, depth)
        case ImageManifest():
            yield from _config_report(walk, document, name)
            yield from _children(walk, document, name, "$.layers", document.layers, depth)
        case _:
            pass


def _config_report(walk: _Walk, manifest: ImageManifest, name: str) -> Iterator[FileReport]:
    descriptor, trail = manifest.config, f"{name} $.config"
    if descriptor.media_type not in types.CONFIGS:
        walk.content.setdefault(descriptor.digest, []).append((descriptor, trail))
        return
    if descriptor.digest in walk.seen:
        return
    walk.seen.add(descriptor.digest)
    try:
        raw = _read(walk.layout, descriptor)
    except errors.DregError as failure:
        yield _lone(descriptor, _unreadable(walk, descriptor, trail, failure), _file_name(descriptor.digest))
        return
    yield FileReport(_file_name(descriptor.digest), _checked(raw, descriptor, trail, walk.pedantic))


def _config(walk: _Walk, manifest: ImageManifest, _name: str) -> ImageConfig | None:
    """The config, when it can be read; what is wrong with it is told at its own file."""
    try:
        return walk.layout.get_config(manifest)
    except errors.DregError:
        return None


def _fit(document: Document | None, config: ImageConfig | None) -> Iterator[Problem]:
    """CFG-21: as many diff_ids as layers."""
    if isinstance(document, ImageManifest) and config and len(config.rootfs.diff_ids) != len(document.layers):
        expected = f"{len(config.rootfs.diff_ids)} layers, as many as the config has diff_ids"
        yield rules.warning("CFG-21", "$.layers", f"{len(document.layers)} layers", expected)


def _read(layout: Layout, descriptor: Descriptor) -> bytes:
    limit = MAX_DOCUMENT
    try:
        return layout.files.read("blobs", descriptor.digest.algorithm, descriptor.digest.encoded, limit=limit)
    except FileNotFoundError:
        raise errors.NotFoundError(f"blob {descriptor.digest}", layout.name) from None


def _checked(raw: bytes, descriptor: Descriptor, trail: str, pedantic: bool) -> Report:
    """A document by its rules, and by what its descriptor says (LYT-03, LYT-05)."""
    report = validate(raw, kind=_kind_of(raw, descriptor), pedantic=pedantic)
    problems = [*_proven(descriptor, len(raw), _digest_like(raw, descriptor.digest), trail), *report.problems]
    own = KINDS[report.kind].media_types if report.kind else ()
    if report.kind and descriptor.media_type not in own:
        expected = f"{descriptor.media_type}, as {trail} says"
        problems.insert(0, rules.error("LYT-05", "$.mediaType", " or ".join(own), expected))
    return replace(report, problems=tuple(problems))


def _kind_of(raw: bytes, descriptor: Descriptor) -> str | None:
    if descriptor.media_type in types.CONFIGS:
        return "image-config"
    found = validate(raw).kind
    return found or next((kind for kind, model in KINDS.items() if descriptor.media_type in model.media_types), None)


def _parsed(raw: bytes, report: Report) -> Document | None:
    """The document to walk on from, though its bytes may be others than were promised."""
    if report.kind is None or report.kind == "legacy-manifest":
        return None
    try:
        return cast("Document", KINDS[report.kind].parse(raw))
    except errors.DregError:
        return None


def _proven(descriptor: Descriptor, size: int, digest: Digest | None, trail: str) -> Iterator[Problem]:
    if digest is not None and digest != descriptor.digest:
        yield rules.error("LYT-03", "$", f"bytes of the digest {digest}", f"those of {descriptor.digest}")
    if size != descriptor.size:
        yield rules.error("LYT-05", "$", f"{size} bytes", f"{descriptor.size} bytes, as {trail} says")


def _digest_like(raw: bytes, digest: Digest) -> Digest | None:
    return Digest.of(raw, digest.algorithm) if digest.computable else None


def _unreadable(walk: _Walk, descriptor: Descriptor, trail: str, failure: errors.DregError) -> Problem:
    if not isinstance(failure, errors.NotFoundError):
        return rules.error("LYT-03", "$", str(failure), "a regular file with the bytes of its digest")
    verdict = rules.error if walk.complete else rules.warning
    return verdict("LYT-04", "$", "no such blob", f"the {descriptor.media_type} that {trail} names")


def _lone(descriptor: Descriptor, problem: Problem, name: str) -> FileReport:
    return FileReport(name, Report(None, descriptor.digest, descriptor.size, (problem,)))


def _file_name(digest: Digest) -> str:
    return f"blobs/{digest.algorithm}/{digest.encoded}"


def _blobs(walk: _Walk, jobs: int) -> Iterator[FileReport]:
    """Layers and other content, each once, hashed side by side, told in order."""
    waiting = [digest for digest in walk.content if digest not in walk.seen]
    walk.seen.update(waiting)
    with ThreadPoolExecutor(max(jobs, 1)) as pool:
        yield from pool.map(lambda digest: _blob(walk, digest), waiting)


def _blob(walk: _Walk, digest: Digest) -> FileReport:
    (descriptor, trail), *others = walk.content[digest]
    name = _file_name(digest)
    try:
        size, actual = _hashed(walk.layout, digest)
    except errors.NotFoundError as failure:
        if descriptor.urls:
            return FileReport(name, Report(None, digest, descriptor.size, ()))
        return _lone(descriptor, _unreadable(walk, descriptor, trail, failure), name)
    except errors.DregError as failure:
        return _lone(descriptor, _unreadable(walk, descriptor, trail, failure), name)
    problems = [*_proven(descriptor, size, actual, trail)]
    for other, its_trail in others:
        problems += [problem for problem in _proven(other, size, None, its_trail) if problem not in problems]
    return FileReport(name, Report(None, digest, size, tuple(problems)))


def _hashed(layout: Layout, digest: Digest) -> tuple[int, Digest | None]:
    """The size and the digest of a blob's bytes; no digest where nothing can compute it."""
    verifier = digest.verifier() if digest.computable else None
    size = 0
    try:
        with layout.files.open("blobs", digest.algorithm, digest.encoded) as file:
            while chunk := file.read(MEBIBYTE):
                size += len(chunk)
                if verifier:
                    verifier.update(chunk)
    except FileNotFoundError:
        raise errors.NotFoundError(f"blob {digest}", layout.name) from None
    return size, verifier.digest() if verifier else None


def _unnamed(walk: _Walk) -> Iterator[FileReport]:
    """LYT-08 and LYT-10: files that nothing names, names that make no digest; the former by their digest, too."""
    for name in walk.layout.files.names():
        head, _, rest = name.partition("/")
        if head != "blobs":
            continue
        text = rest.replace("/", ":", 1)
        if "/" in text or digest_fault(text) is not None:
            found = show(rest)
            yield _named_file(name, rules.warning("LYT-10", "$", found, "a name that makes a digest: ALGORITHM/ENCODED"))
        elif Digest(text) not in walk.seen:
            yield from _unnamed_blob(walk, name, Digest(text))


def _unnamed_blob(walk: _Walk, name: str, digest: Digest) -> Iterator[FileReport]:
    problems: list[Problem] = []
    try:
        size, actual = _hashed(walk.layout, digest)
    except errors.DregError as failure:
        size, actual = 0, None
        problems.append(rules.error("LYT-03", "$", str(failure), "a regular file with the bytes of its digest"))
    if actual is not None and actual != digest:
        problems.append(rules.error("LYT-03", "$", f"bytes of the digest {actual}", f"those of {digest}"))
    if walk.pedantic:
        problems.append(rules.note("LYT-08", "$", "a blob that nothing names", "blobs that are named"))
    yield FileReport(name, Report(None, digest, size, tuple(problems)))


def _named_file(name: str, problem: Problem) -> FileReport:
    return FileReport(name, Report(None, Digest.of(b""), 0, (problem,)))


def worst(reports: Iterable[FileReport]) -> Severity | None:
    """The gravest severity among reports, None where there is no problem."""
    order = list(Severity)
    found = [problem.severity for report in reports for problem in report.report.problems]
    return min(found, key=order.index, default=None)
