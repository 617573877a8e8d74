"""Validation: a report of everything that is wrong with a document, without an exception for a bad one."""

from collections.abc import Iterator
from dataclasses import dataclass

from dreg_client.models import rules
from dreg_client.models.descriptor import Descriptor
from dreg_client.models.json_text import DishonestTextError, read_object, scan
from dreg_client.models.parse import KINDS, model_of, recognise
from dreg_client.models.paths import show
from dreg_client.models.stored import MAX_DOCUMENT, ParsedModel, examine, octets_of
from dreg_client.problems import Problem, Severity
from dreg_client.values.digest import Digest


@dataclass(frozen=True, slots=True)
class Report:
    """What came of validating one document.

    Attributes:
        kind: What it was read as, such as `oci-manifest`; None when that could not be told.
        digest: The sha256 digest of its bytes.
        size: The number of its bytes.
        problems: Everything that is wrong: errors, warnings, and notes when they were asked for.
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
        """The problems that refuse the document."""
        return tuple(problem for problem in self.problems if problem.severity is Severity.ERROR)

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """The problems that do not."""
        return tuple(problem for problem in self.problems if problem.severity is Severity.WARNING)


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
        expect: The digest, or the descriptor, that the bytes must be proven by (GEN-11).
        pedantic: Whether notes are reported, too.
        limit: The most bytes that are read (GEN-05).

    Raises:
        ValueError: There is no such kind.

    >>> validate('{"schemaVersion": 2, "manifests": {}}').problems[0].path
    '$.manifests'
    """
    octets = octets_of(raw)
    if isinstance(expect, Descriptor) and media_type is None and kind is None:
        media_type = expect.media_type
    model = model_of(kind) if kind is not None else _recognised(octets, media_type, limit)
    if model is None:
        problems = _unrecognised(octets, media_type, limit)
    else:
        problems = examine(model, octets, media_type=media_type, limit=limit).problems
    digest = Digest.of(octets)
    shown = (problem for problem in problems if pedantic or problem.severity is not Severity.NOTE)
    return Report(model.kind if model else None, digest, len(octets), (*_unproven(octets, digest, expect), *shown))


def _recognised(octets: bytes, media_type: str | None, limit: int) -> type[ParsedModel] | None:
    if len(octets) > limit:
        return None
    try:
        tree = read_object(octets)
    except DishonestTextError:
        tree = scan(octets)[0] or {}
    return recognise(tree, media_type)


def _unrecognised(octets: bytes, media_type: str | None, limit: int) -> tuple[Problem, ...]:
    if len(octets) > limit:
        return (rules.error("GEN-05", "$", f"{len(octets)} bytes", f"at most {limit} bytes"),)
    tree, problems = scan(octets)
    if tree is None:
        return tuple(problems)
    found = show(media_type or tree.get("mediaType") or "a document of no known media type or shape")
    return (*problems, rules.error("GEN-12", "$", found, f"a kind that is known, or named: {', '.join(KINDS)}"))


def _unproven(octets: bytes, digest: Digest, expect: Digest | Descriptor | None) -> Iterator[Problem]:
    """GEN-11: the bytes are those that were asked for."""
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
