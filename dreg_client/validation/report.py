"""Validate a document. The report lists all problems; an invalid document does not raise an error."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from dreg_client.errors.problems import Problem, Severity
from dreg_client.models import rules
from dreg_client.models.descriptor import Descriptor
from dreg_client.models.json_text import AmbiguousTextError, read_members
from dreg_client.models.kinds import KIND_NAMES, MANIFEST_KINDS
from dreg_client.models.octets import RawDocument, octets_of, with_path_advice
from dreg_client.models.parse import model_of, recognise
from dreg_client.models.paths import show
from dreg_client.models.stored import ParsedModel, examine_tree, read_or_scan, too_large
from dreg_client.values.digest import SHA256, Digest
from dreg_client.values.sizes import MAX_DOCUMENT

MISSING: Final = "LYT-04"
"""The rule of a blob that a document names, and that does not exist."""
UNREFERENCED: Final = "STO-05"
"""The rule of a blob in the storage of a registry that no manifest refers to."""
WRAPPED: Final = "a record with a document in its member "
"""The prefix of `Problem.found` for GEN-12; the quoted member name follows."""
LINES: Final = "JSON Lines: several documents, one in each line"
"""`Problem.found` for GEN-01 if the first line of a text is a JSON object, and another one follows."""
_FEW: Final = 100
"""The number of bytes after the first line of a text in which a second line is searched for."""
_MAIN_MEMBERS: Final = frozenset({"schemaVersion", "config", "layers", "manifests"})
"""The members of which every manifest and index has some, and a record with a manifest in it none."""
NO_BYTES: Final = Digest.of(b"")
"""The digest in the report of what has no content."""
_NOT_BYTES: Final = frozenset({"STO-01", "STO-03", "STO-06", "STO-07"})
"""The rules whose reports are those of links, tags and directories. They have no bytes, even if there is a digest."""
BLOB_RULES: Final = (MISSING, UNREFERENCED)
"""The rules whose reports are those of blobs of which no byte was checked. They are not counted as documents."""


@dataclass(frozen=True, slots=True)
class Report:
    """The result of validating one document.

    Attributes:
        kind: The kind that the document was parsed as, such as `oci-manifest`; None if unknown.
        digest: The digest of the bytes, with the algorithm of the expected digest (default: sha256).
        size: The size in bytes.
        problems: The errors and warnings, and the notes if requested. At most 1,001 of each severity are listed; the
            last one then states that there are more.
    """

    kind: str | None
    digest: Digest
    size: int
    problems: tuple[Problem, ...]

    @property
    def ok(self) -> bool:
        """Whether the document is valid: it has no errors, but may have warnings."""
        return not rules.has_error(self.problems)

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The problems that make the document invalid."""
        return tuple(problem for problem in self.problems if problem.severity is Severity.ERROR)

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """The warnings, without notes."""
        return tuple(problem for problem in self.problems if problem.severity is Severity.WARNING)


@dataclass(frozen=True, slots=True)
class FileReport:
    """The report of a file of a layout, or of a file or image of a registry storage.

    Attributes:
        name: The path of the file: below the root of a layout; for a storage, with the path or URL of the storage. For
            an image of a storage, its name, such as `registry-storage:/srv/registry/acme/web:1.4`.
        report: The report of the file.
        is_null: Whether no content was read, such as that of a file with an invalid name. The digest of the report is
            then that of no bytes.
    """

    name: str
    report: Report
    is_null: bool = False


@dataclass(frozen=True, slots=True)
class DocumentReport:
    """The report of one document of a store.

    Attributes:
        name: The tag; for a document below a tag, its digest.
        report: The report of the document.
    """

    name: str
    report: Report


def known_size(report: Report, *, is_null: bool) -> int | None:
    """Return the size in a report; None if it is not known, because there are no bytes.

    That is so for a null, and for what a storage has in place of a blob: a link that leads to nothing, or a directory.
    """
    if report.size:
        return report.size
    return None if is_null or any(problem.rule in _NOT_BYTES for problem in report.problems) else 0


def blob_rule(problems: Iterable[Problem]) -> str | None:
    """Return which of `BLOB_RULES` a report has, so that it is not counted as that of a document; otherwise None."""
    broken = {problem.rule for problem in problems}
    return next((rule for rule in BLOB_RULES if rule in broken), None)


def validate(
    raw: RawDocument,
    *,
    media_type: str | None = None,
    kind: str | None = None,
    expect: Digest | Descriptor | None = None,
    pedantic: bool = False,
    limit: int = MAX_DOCUMENT,
) -> Report:
    """Validate a document and report all problems. An invalid document does not raise an error.

    Args:
        raw: The exact bytes, the JSON as a `str`, the file as a `Path`, or a file opened with `rb`.
        media_type: The `Content-Type` of the response, or the media type in the descriptor; None if unknown.
        kind: The expected kind, which is also the name of a JSON Schema, such as `image-config`. If None, it is
            determined by `media_type` or the document.
        expect: The digest or descriptor that the bytes must match (GEN-11).
        pedantic: Whether to also report notes.
        limit: The maximum size in bytes (GEN-05).

    Raises:
        TypeError: An argument has the wrong type.
        ValueError: `kind` is unknown.
        OSError: The file cannot be read.

    Examples:
        >>> validate('{"schemaVersion": 2, "manifests": {}}').problems[0].path
        '$.manifests'
    """
    octets = octets_of(raw, limit)
    if expect is not None and not isinstance(expect, Digest | Descriptor):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise TypeError(f"expect= takes a Digest or a Descriptor, not {type(expect).__name__}; use Digest(...)")
    if isinstance(expect, Descriptor) and media_type is None and kind is None:
        media_type = expect.media_type
    named = model_of(kind) if kind is not None else None
    model, problems = _examined(octets, named, media_type, limit, pedantic=pedantic)
    wanted = expect.digest if isinstance(expect, Descriptor) else expect
    digest = Digest.of(octets, wanted.algorithm if wanted is not None and wanted.computable else SHA256)
    problems = with_path_advice(raw, problems)
    if not pedantic:
        problems = tuple(problem for problem in problems if problem.severity is not Severity.NOTE)
    return Report(model.kind if model else None, digest, len(octets), (*_mismatches(octets, digest, expect), *problems))


def _examined(
    octets: bytes, named: type[ParsedModel] | None, media_type: str | None, limit: int, *, pedantic: bool
) -> tuple[type[ParsedModel] | None, tuple[Problem, ...]]:
    """Return the model of a document, and all problems."""
    served = named or (recognise({}, media_type) if media_type else None)
    if len(octets) > limit:
        return served, (too_large(octets, limit), *_of_lines(octets))
    tree, problems = read_or_scan(octets, nul=served is not None and served.nul_allowed)
    if tree is None:
        return served, _of_lines(octets) or tuple(problems)
    model = named or recognise(tree, media_type)
    if model is None:
        stated = media_type or tree.get("mediaType")
        found = show(stated) if stated else _wrapped(tree) or "a document of unknown media type and structure"
        expected = f"a known kind of document, or an explicit kind: {', '.join(KIND_NAMES)}"
        return None, (*problems, rules.error("GEN-12", "$", found, expected))
    examined = examine_tree(model, octets, tree, problems, media_type, pedantic=pedantic).problems
    if named is None and rules.has_error(examined) and (record := _record_of(model, tree)):
        return None, (*problems, rules.error("GEN-12", "$", record, f"a document of the kind {model.kind}"))
    return model, examined


def _of_lines(octets: bytes) -> tuple[Problem, ...]:
    """Return GEN-01 if the first line is a JSON object and the next one begins like one; otherwise nothing."""
    end = octets.find(b"\n", 0, MAX_DOCUMENT)
    if end < 0 or not octets.startswith(b"{") or not octets[end : end + _FEW].lstrip().startswith(b"{"):
        return ()
    try:
        read_members(octets[:end].rstrip())
    except AmbiguousTextError:
        return ()
    return (rules.error("GEN-01", "$", LINES, "a single JSON object"),)


def _record_of(model: type[ParsedModel], tree: Mapping[str, object]) -> str:
    """Return a description of a record that has the media type of a manifest, and the manifest in another member."""
    return "" if model.kind not in MANIFEST_KINDS or _MAIN_MEMBERS & tree.keys() else _wrapped(tree)


def _wrapped(tree: Mapping[str, object]) -> str:
    """Return a description of a record that seems to have a document in a member; otherwise an empty string."""
    for name, value in tree.items():
        is_text = isinstance(value, str) and value.startswith("{")
        if is_text or (isinstance(value, dict) and "schemaVersion" in value):
            return f"{WRAPPED}{show(name)}"
    return ""


def _mismatches(octets: bytes, digest: Digest, expect: Digest | Descriptor | None) -> Iterator[Problem]:
    """Yield GEN-11 if the bytes do not match the expected digest or descriptor."""
    if expect is None:
        return
    if isinstance(expect, Descriptor):
        if expect.size != len(octets):
            yield rules.error("GEN-11", "$", f"{len(octets)} bytes", f"{expect.size} bytes")
        expect = expect.digest
    if not expect.computable:
        found = f"a {expect.algorithm} digest"
        yield rules.error("GEN-11", "$", found, "a digest that can be verified (sha256 or sha512)")
    elif digest != expect:
        yield rules.error("GEN-11", "$", digest, expect)
