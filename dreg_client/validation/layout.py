"""The checks of an image layout: documents, blobs, and the names of files in `blobs` (LYT-03 to LYT-10)."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from sys import intern
from typing import ClassVar, Final, NamedTuple, cast

from dreg_client import errors
from dreg_client.errors.problems import Problem, Severity
from dreg_client.files.atomic import is_part
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
from dreg_client.validation.report import NO_BYTES, Report, validate
from dreg_client.validation.walk import (
    Checks,
    Claim,
    Role,
    Step,
    nested_too_deep,
    report_of,
    with_assumed_family,
    wrong_bytes,
    wrong_claims,
)
from dreg_client.values import media_type as types
from dreg_client.values.digest import Digest
from dreg_client.values.media_type import Family

_DOCUMENTS: Final = frozenset({Family.INDEX, Family.MANIFEST, Family.SCHEMA1, Family.CONFIG})
_VERIFIED: Final = "a regular file whose content matches its digest"


class _Mention(NamedTuple):
    """What a claim states. It takes much less memory, of which a layout can have millions."""

    media_type: str
    size: int
    has_urls: bool
    trail: str
    role: Role
    depth: int
    assumed: Family | None

    @classmethod
    def of(cls, claim: Claim) -> "_Mention":
        """Return what a claim states, without annotations and embedded data."""
        stated = claim.descriptor
        kind = intern(stated.media_type)
        return cls(kind, stated.size, bool(stated.urls), claim.trail, claim.role, claim.depth, claim.assumed)

    def claim(self, digest: Digest) -> Claim:
        """Return the claim, for a report. Its descriptor was parsed before, so it is not validated again."""
        stated = Descriptor.model_construct(media_type=self.media_type, digest=digest, size=self.size)
        return Claim(stated, self.trail, self.role, self.depth, self.assumed)


class LayoutChecks(Checks):
    """The checks of a layout.

    A blob is compared with every descriptor that refers to it. A document is validated even if its digest is wrong.
    """

    verifies_first = False
    reported: ClassVar[tuple[type[errors.DregError], ...]] = (errors.DregError,)
    absent = "no such blob"

    def __init__(self, *, complete: bool, pedantic: bool) -> None:
        super().__init__(complete=complete, pedantic=pedantic)
        # The reports of all documents, without their problems; None for documents that could not be read.
        self.documents: dict[Digest, Report | None] = {}
        self._content: dict[Digest, list[_Mention]] = {}  # all other blobs, in the order of the walk

    def trail(self, digest: Digest, path: str, position: int | None = None) -> str:
        """Return the name of a member of a document, or of an item in it, in reports."""
        member = f"{blob_name(digest)} {path}"
        return member if position is None else item(member, position)

    def entries(self, index: LayoutIndex) -> list[Claim]:
        """Return the claims in `index.json`."""
        path = "index.json $.manifests"
        claims = (Claim(entry, item(path, number), "entry", 1) for number, entry in enumerate(index.manifests))
        return [with_assumed_family(claim) for claim in claims]

    def step(self, claim: Claim) -> Step | Report:
        """Return the next step for a claim. Blobs that are not documents are recorded, and hashed at the end."""
        digest = claim.descriptor.digest
        if claim.family not in _DOCUMENTS:
            self._content.setdefault(digest, []).append(_Mention.of(claim))
            return Step.SKIP
        if digest in self.documents:
            return self._claimed_again(claim) or Step.SKIP
        self.documents[digest] = None
        return nested_too_deep(claim) or Step.READ

    def check(self, claim: Claim, raw: bytes) -> tuple[Report, Document | None]:
        """Validate a document and compare it with its descriptor (LYT-03, LYT-05)."""
        digest = claim.descriptor.digest
        report = validate(raw, kind=_kind_of(raw, claim), pedantic=self.pedantic)
        self.documents[digest] = replace(report, problems=())  # problems could take much memory
        actual = Digest.of(raw, digest.algorithm) if digest.computable else None
        stated = wrong_claims(claim, report.size, _media_types(report))
        problems = (*wrong_bytes(digest, actual, claim), *stated, *report.problems)
        return replace(report, digest=actual or report.digest, problems=problems), _parsed(raw, report)

    def unreadable(self, claim: Claim, failure: errors.DregError) -> Report:
        """Return the report of a blob that cannot be read (LYT-03) or is too large for a document (GEN-05)."""
        problem = rules.error("LYT-03", "$", str(failure), _VERIFIED)
        if isinstance(failure, errors.ResponseTooLargeError):
            problem = rules.error("GEN-05", "$", f"{failure.size} bytes", f"at most {failure.limit} bytes")
        return report_of(claim, problem)

    def _claimed_again(self, claim: Claim) -> Report | None:
        """Compare a document that was already read with another descriptor of it."""
        found = self.documents[claim.descriptor.digest]
        if found is None:
            return None
        # An artifact may list a document as content with any media type, so only the size is compared then.
        is_document = claim.descriptor.family in _DOCUMENTS
        problems = tuple(wrong_claims(claim, found.size, _media_types(found) if is_document else ()))
        return Report(None, claim.descriptor.digest, found.size, problems) if problems else None

    def unread(self) -> list[tuple[Digest, int]]:
        """Return the referenced blobs that are not documents, with their largest stated size, to be hashed."""
        return [
            (digest, max(mention.size for mention in mentions))
            for digest, mentions in self._content.items()
            if digest not in self.documents
        ]

    def content_again(self, digest: Digest) -> Report | None:
        """Return the report of a document that is also referenced as content, such as a layer."""
        return next(filter(None, map(self._claimed_again, self.claims(digest))), None)

    def missing_content(self, digest: Digest) -> Report | None:
        """Return the report of a missing blob; None if a descriptor has URLs, because the blob may be elsewhere."""
        mentions = self._content[digest]
        return None if any(mention.has_urls for mention in mentions) else self.missing(mentions[0].claim(digest))

    def content_report(self, digest: Digest, found: HashedBlob) -> Report:
        """Compare a blob with its digest and with every descriptor of it."""
        claims = self.claims(digest)
        stated = (problem for claim in claims for problem in wrong_claims(claim, found.size))
        problems = dict.fromkeys((*wrong_bytes(digest, found.digest, claims[0]), *stated))
        return Report(None, digest, found.size, tuple(problems))

    def content(self) -> list[Digest]:
        """Return the blobs that are not documents, in the order of the walk."""
        return [*self._content]

    def claims(self, digest: Digest) -> list[Claim]:
        """Return the claims of a blob that is not a document, in the order of the walk."""
        return [mention.claim(digest) for mention in self._content[digest]]

    def unnamed(self, names: Iterable[str]) -> list[str]:
        """Return the files in `blobs` to which no document refers."""
        named = set(map(blob_name, (*self.documents, *self._content)))
        return [name for name in names if name not in named]

    def unnamed_report(self, digest: Digest, found: HashedBlob) -> Report:
        """Return the report of an unreferenced blob (LYT-08), whose content must also match its digest."""
        return Report(None, digest, found.size, (*wrong_bytes(digest, found.digest), *self._unnamed_notes()))

    def unnamed_unreadable(self, digest: Digest, failure: errors.DregError) -> Report:
        """Return the report of an unreferenced blob that cannot be read."""
        problem = rules.error("LYT-03", "$", str(failure), _VERIFIED)
        return Report(None, digest, 0, (problem, *self._unnamed_notes()))

    def _unnamed_notes(self) -> tuple[Problem, ...]:
        return (rules.note("LYT-08", "$", "an unreferenced blob", "only referenced blobs"),) * self.pedantic


def index_report(index: LayoutIndex, *, has_blobs: bool, pedantic: bool) -> Report:
    """Check `index.json` (LYT-07), and that a directory `blobs` exists (LYT-09)."""
    found = examine(LayoutIndex, index.raw, limit=MAX_INDEX).problems
    shown = (problem for problem in found if pedantic or problem.severity is not Severity.NOTE)
    missing = rules.warning("LYT-09", "$", "no blobs directory", "a blobs directory, which may be empty")
    problems = (*shown, *_equal_names(index.manifests), *(() if has_blobs else (missing,)))
    return Report(index.kind, index.digest, index.size, problems)


def _equal_names(entries: Iterable[Descriptor]) -> Iterator[Problem]:
    """Yield LYT-07 for a name that has several digests."""
    named: dict[str, Digest] = {}
    for position, entry in enumerate(entries):
        name = ref_name(entry)
        if name is not None and named.setdefault(name, entry.digest) != entry.digest:
            found = f"the name {show(name)}, which {named[name]} also has"
            yield rules.warning("LYT-07", item("$.manifests", position), found, "a unique name")


def misnamed_report(name: str, *, pedantic: bool) -> Report:
    """Return the report of a file in `blobs` whose path is not a digest (LYT-10).

    For the files that macOS adds to any directory, it is only a note.
    """
    last = name.rpartition("/")[2]
    is_of_macos = last.startswith("._") or last == ".DS_Store"
    expected = "a digest as a path: ALGORITHM/ENCODED"
    if is_part(last):
        expected += "; this is a temporary file of an interrupted copy, which dreg gc deletes"
    verdict = rules.note if is_of_macos else rules.warning
    problem = verdict("LYT-10", "$", show(name.removeprefix("blobs/")), expected)
    return Report(None, NO_BYTES, 0, (problem,) if pedantic or not is_of_macos else ())


def readable(name: str) -> str:
    """Return the name of a file, with invalid UTF-8 escaped."""
    return name.encode("utf-8", "backslashreplace").decode()


def _kind_of(raw: bytes, claim: Claim) -> str | None:
    """Return the kind of a document: the one that it states, otherwise the one of its descriptor.

    If the members of the document imply another family than its descriptor, they determine the kind.
    """
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
    """Return the document for continuing the walk, even if it has readable errors or a wrong digest."""
    if report.kind is None or report.kind == "legacy-manifest":
        return None
    try:
        return cast("Document", model_of(report.kind).parse(raw, strict=False))
    except errors.DregError:
        return None
