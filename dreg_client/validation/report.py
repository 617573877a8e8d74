"""Validation: a report of everything that is wrong with a document, without an exception for a bad one."""

from collections.abc import Iterator
from dataclasses import dataclass

from dreg_client.errors.problems import Problem, Severity
from dreg_client.models import rules
from dreg_client.models.descriptor import Descriptor
from dreg_client.models.limits import MAX_DOCUMENT
from dreg_client.models.parse import KINDS, model_of, recognise
from dreg_client.models.paths import show
from dreg_client.models.stored import ParsedModel, examine_tree, octets_of, read_or_scan, too_large
from dreg_client.values.digest import Digest


@dataclass(frozen=True, slots=True)
class Report:
    """The result of validating one document.

    Attributes:
        kind: What it was read as, such as `oci-manifest`; None if it could not be recognised.
        digest: The sha256 digest of its bytes.
        size: The number of its bytes.
        problems: Everything that is wrong: errors, warnings, and notes if requested. Of each severity these are the
            first 1,000, and one more that says so if there are more.
    """

    kind: str | None
    digest: Digest
    size: int
    problems: tuple[Problem, ...]

    @property
    def ok(self) -> bool:
        """Whether no problem is an error."""
        return not rules.has_error(self.problems)

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The errors: problems for which the document is rejected."""
        return tuple(problem for problem in self.problems if problem.severity is Severity.ERROR)

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """The warnings: problems for which it is not rejected."""
        return tuple(problem for problem in self.problems if problem.severity is Severity.WARNING)


@dataclass(frozen=True, slots=True)
class FileReport:
    """The report of one file of a layout.

    Attributes:
        name: Its name below the layout's root.
        report: What is wrong with it.
    """

    name: str
    report: Report


@dataclass(frozen=True, slots=True)
class DocumentReport:
    """The report of one document of a store.

    Attributes:
        name: The tag, or the digest of a document below one.
        report: What is wrong with it.
    """

    name: str
    report: Report


def validate(
    raw: bytes | str,
    *,
    media_type: str | None = None,
    kind: str | None = None,
    expect: Digest | Descriptor | None = None,
    pedantic: bool = False,
    limit: int = MAX_DOCUMENT,
) -> Report:
    """Report everything that is wrong with a document; a bad document raises nothing.

    Args:
        raw: The exact bytes; a `str` is taken as its UTF-8 bytes.
        media_type: What it was served or named as; None when not known.
        kind: What it must be, by the name of its JSON Schema; None: `media_type`, the body or its shape decides.
        expect: The digest or the descriptor that the bytes must match (GEN-11).
        pedantic: Whether notes are reported, too.
        limit: The most bytes that are read (GEN-05).

    Raises:
        ValueError: There is no such kind.

    Examples:
        >>> validate('{"schemaVersion": 2, "manifests": {}}').problems[0].path
        '$.manifests'
    """
    octets = octets_of(raw)
    if isinstance(expect, Descriptor) and media_type is None and kind is None:
        media_type = expect.media_type
    named = model_of(kind) if kind is not None else None
    model, problems = _examined(octets, named, media_type, limit)
    digest = Digest.of(octets)
    if not pedantic:
        problems = tuple(problem for problem in problems if problem.severity is not Severity.NOTE)
    return Report(model.kind if model else None, digest, len(octets), (*_unproven(octets, digest, expect), *problems))


def _examined(
    octets: bytes, named: type[ParsedModel] | None, media_type: str | None, limit: int
) -> tuple[type[ParsedModel] | None, tuple[Problem, ...]]:
    """Return the model, by name or by what the document is, and all problems that it finds."""
    served = named or recognise({}, media_type)
    if len(octets) > limit:
        return served, (too_large(octets, limit),)
    tree, problems = read_or_scan(octets, nul=served is not None and served.nul_allowed)
    if tree is None:
        return served, tuple(problems)
    model = named or recognise(tree, media_type)
    if model is None:
        found = show(media_type or tree.get("mediaType") or "a document of no known media type or shape")
        expected = f"a kind that is known, or named: {', '.join(KINDS)}"
        return None, (*problems, rules.error("GEN-12", "$", found, expected))
    return model, examine_tree(model, octets, tree, problems, media_type).problems


def _unproven(octets: bytes, digest: Digest, expect: Digest | Descriptor | None) -> Iterator[Problem]:
    """GEN-11: the bytes are those that were requested."""
    if expect is None:
        return
    if isinstance(expect, Descriptor):
        if expect.size != len(octets):
            yield rules.error("GEN-11", "$", f"{len(octets)} bytes", f"{expect.size} bytes")
        expect = expect.digest
    if not expect.computable:
        yield rules.error("GEN-11", "$", f"a digest of {expect.algorithm}", "one that can be verified: sha256, sha512")
    elif (actual := digest if expect.algorithm == "sha256" else Digest.of(octets, expect.algorithm)) != expect:
        yield rules.error("GEN-11", "$", actual, expect)
