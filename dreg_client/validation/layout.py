"""The checks of an image layout: documents, blobs, and names below `blobs` (LYT-03 to LYT-10)."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import ClassVar, Final, cast

from dreg_client import errors
from dreg_client.errors.problems import Problem, Severity
from dreg_client.files.layout import MAX_INDEX, HashedBlob, blob_name
from dreg_client.models import rules
from dreg_client.models.descriptor import Descriptor
from dreg_client.models.index import LayoutIndex
from dreg_client.models.json_text import scan
from dreg_client.models.kinds import BY_TYPE
from dreg_client.models.layout import ref_name
from dreg_client.models.parse import Document, model_of, recognise
from dreg_client.models.paths import item, show
from dreg_client.models.stored import examine
from dreg_client.validation.report import Report, validate
from dreg_client.validation.walk import (
    Checks,
    Claim,
    Step,
    nested_too_deep,
    report_of,
    with_assumed_family,
    wrong_bytes,
    wrong_claims,
)
from dreg_client.values import media_type as types
from dreg_client.values.digest import Digest, digest_fault
from dreg_client.values.media_type import Family

_DOCUMENTS: Final = frozenset({Family.INDEX, Family.MANIFEST, Family.SCHEMA1, Family.CONFIG})
_VERIFIED: Final = "a regular file with the bytes of its digest"


class LayoutChecks(Checks):
    """The checks of a layout. Every mention of a blob is compared with it, and wrong bytes are checked all the same."""

    verifies_first = False
    reported: ClassVar[tuple[type[errors.DregError], ...]] = (errors.DregError,)
    absent = "no such blob"

    def __init__(self, *, complete: bool, pedantic: bool) -> None:
        super().__init__(complete=complete, pedantic=pedantic)
        # The reports of all documents, without their problems; None for those that could not be read.
        self.documents: dict[Digest, Report | None] = {}
        self.content: dict[Digest, list[Claim]] = {}  # the mentions of all other blobs, in the order of the walk

    def trail(self, digest: Digest, path: str, position: int | None = None) -> str:
        """Return what reports call a member of a document, or an item of it."""
        member = f"{blob_name(digest)} {path}"
        return member if position is None else item(member, position)

    def entries(self, index: LayoutIndex) -> list[Claim]:
        """Return what `index.json` names."""
        path = "index.json $.manifests"
        claims = (Claim(entry, item(path, number), "entry", 1) for number, entry in enumerate(index.manifests))
        return [with_assumed_family(claim) for claim in claims]

    def step(self, claim: Claim) -> Step | Report:
        """Return what to do for a claim; what is not a document is remembered, to be hashed at the end."""
        digest = claim.descriptor.digest
        if claim.family not in _DOCUMENTS:
            self.content.setdefault(digest, []).append(claim)
            return Step.SKIP
        if digest in self.documents:
            return self._claimed_again(claim) or Step.SKIP
        self.documents[digest] = None
        return nested_too_deep(claim) or Step.READ

    def check(self, claim: Claim, raw: bytes) -> tuple[Report, Document | None]:
        """Check a document by its rules and by its descriptor (LYT-03, LYT-05)."""
        digest = claim.descriptor.digest
        report = validate(raw, kind=_kind_of(raw, claim), pedantic=self.pedantic)
        self.documents[digest] = replace(report, problems=())  # there may be many documents
        actual = Digest.of(raw, digest.algorithm) if digest.computable else None
        stated = wrong_claims(claim, report.size, _media_types(report))
        problems = (*wrong_bytes(digest, actual, claim), *stated, *report.problems)
        return replace(report, digest=actual or report.digest, problems=problems), _parsed(raw, report)

    def unreadable(self, claim: Claim, failure: errors.DregError) -> Report:
        """Return the report of a blob that cannot be read (LYT-03), or is too large for a document (GEN-05)."""
        problem = rules.error("LYT-03", "$", str(failure), _VERIFIED)
        if isinstance(failure, errors.ResponseTooLargeError):
            problem = rules.error("GEN-05", "$", f"{failure.size} bytes", f"at most {failure.limit} bytes")
        return report_of(claim, problem)

    def _claimed_again(self, claim: Claim) -> Report | None:
        """Compare a document that was read already with another mention of it."""
        found = self.documents[claim.descriptor.digest]
        if found is None:
            return None
        # Artifacts may list anything as content with a type of its own; then only its size counts.
        is_document = claim.descriptor.family in _DOCUMENTS
        problems = tuple(wrong_claims(claim, found.size, _media_types(found) if is_document else ()))
        return Report(None, claim.descriptor.digest, found.size, problems) if problems else None

    def unread(self) -> list[Digest]:
        """Return the blobs that documents name and that are not documents themselves: they must be hashed."""
        return [digest for digest in self.content if digest not in self.documents]

    def content_again(self, digest: Digest) -> Report | None:
        """Return the report of a document that is listed as content, too."""
        return next(filter(None, (self._claimed_again(claim) for claim in self.content[digest])), None)

    def missing_content(self, digest: Digest) -> Report | None:
        """Return the report of a missing blob; None if a descriptor has URLs, since it may be elsewhere."""
        claims = self.content[digest]
        return None if any(claim.descriptor.urls for claim in claims) else self.missing(claims[0])

    def content_report(self, digest: Digest, found: HashedBlob) -> Report:
        """Compare a blob with its digest and with every mention of it."""
        claims = self.content[digest]
        stated = (problem for claim in claims for problem in wrong_claims(claim, found.size))
        problems = dict.fromkeys((*wrong_bytes(digest, found.digest, claims[0]), *stated))
        return Report(None, digest, found.size, tuple(problems))

    def unnamed(self, names: Iterable[str]) -> list[str]:
        """Return the names of files below `blobs` that no document names."""
        named = set(map(blob_name, (*self.documents, *self.content)))
        return [name for name in names if name not in named]

    def unnamed_report(self, digest: Digest, found: HashedBlob) -> Report:
        """LYT-08: a blob that no document names; it must have its digest all the same."""
        return Report(None, digest, found.size, (*wrong_bytes(digest, found.digest), *self._unnamed_notes()))

    def unnamed_unreadable(self, digest: Digest, failure: errors.DregError) -> Report:
        """Return the report of a file that no document names and that cannot be read."""
        problem = rules.error("LYT-03", "$", str(failure), _VERIFIED)
        return Report(None, digest, 0, (problem, *self._unnamed_notes()))

    def _unnamed_notes(self) -> tuple[Problem, ...]:
        return (rules.note("LYT-08", "$", "a blob that nothing names", "blobs that are named"),) * self.pedantic


def index_report(index: LayoutIndex, *, has_blobs: bool, pedantic: bool) -> Report:
    """Check `index.json` (LYT-07), and that there is a directory `blobs` (LYT-09)."""
    found = examine(LayoutIndex, index.raw, limit=MAX_INDEX).problems
    shown = (problem for problem in found if pedantic or problem.severity is not Severity.NOTE)
    missing = rules.warning("LYT-09", "$", "no directory blobs", "the directory blobs, if empty")
    problems = (*shown, *_equal_names(index.manifests), *(() if has_blobs else (missing,)))
    return Report(index.kind, index.digest, index.size, problems)


def _equal_names(entries: Iterable[Descriptor]) -> Iterator[Problem]:
    """LYT-07: one name has one digest."""
    named: dict[str, Digest] = {}
    for position, entry in enumerate(entries):
        name = ref_name(entry)
        if name is not None and named.setdefault(name, entry.digest) != entry.digest:
            found = f"the name {show(name)} of {named[name]}, too"
            yield rules.warning("LYT-07", item("$.manifests", position), found, "each name once")


def digest_of_name(name: str) -> Digest | None:
    """Return the digest that a name below `blobs` makes, None if it makes none."""
    text = name.removeprefix("blobs/").replace("/", ":", 1)
    return Digest(text) if digest_fault(text) is None and blob_name(Digest(text)) == name else None


def misnamed_report(name: str, *, pedantic: bool) -> Report:
    """LYT-10: a name below `blobs` that makes no digest; a note for the files that macOS adds to any directory."""
    last = name.rpartition("/")[2]
    is_of_macos = last.startswith("._") or last == ".DS_Store"
    expected = "a name that makes a digest: ALGORITHM/ENCODED"
    verdict = rules.note if is_of_macos else rules.warning
    problem = verdict("LYT-10", "$", show(name.removeprefix("blobs/")), expected)
    return Report(None, Digest.of(b""), 0, (problem,) if pedantic or not is_of_macos else ())


def readable(name: str) -> str:
    """Return the name of a file with whatever is not valid UTF-8 escaped."""
    return name.encode("utf-8", "backslashreplace").decode()


def _kind_of(raw: bytes, claim: Claim) -> str | None:
    """Return the kind that a document states; else that of its descriptor, unless its shape is of another family."""
    if claim.family is Family.CONFIG:
        return "image-config"
    descriptor = claim.descriptor
    named = BY_TYPE.get(types.essence(descriptor.media_type))
    tree = scan(raw)[0] or {}
    found = recognise({"mediaType": tree.get("mediaType")})
    shaped = recognise({name: value for name, value in tree.items() if name != "mediaType"})
    if found is None and shaped is not None and types.family(shaped.media_types[0]) is not descriptor.family:
        found = shaped
    return found.kind if found else named


def _media_types(report: Report) -> tuple[str, ...]:
    return model_of(report.kind).media_types if report.kind else ()


def _parsed(raw: bytes, report: Report) -> Document | None:
    """Return the document to walk on from, even with readable errors, and even if its bytes have another digest."""
    if report.kind is None or report.kind == "legacy-manifest":
        return None
    try:
        return cast("Document", model_of(report.kind).parse(raw, strict=False))
    except errors.DregError:
        return None
