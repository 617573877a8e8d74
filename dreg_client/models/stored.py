"""Documents that keep the bytes from which they were parsed, because digest and size are computed from them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING, Any, ClassVar, Final, Generic, Self, TypeVar, cast

import orjson
from pydantic import BaseModel, ValidationError
from pydantic_core import InitErrorDetails

from dreg_client import errors
from dreg_client.errors.problems import Problem, Severity
from dreg_client.models import rules
from dreg_client.models.base import Members, StrictModel
from dreg_client.models.fail_fast import fail_fast
from dreg_client.models.faults import problems_of, remarks
from dreg_client.models.json_text import AmbiguousTextError, read_members, read_object, scan
from dreg_client.models.kinds import MANIFEST_KINDS, SAYS_NOTHING, kind_of
from dreg_client.models.lenient import DEPTH_PROVEN, LENIENT
from dreg_client.models.octets import RawDocument, octets_of, with_path_advice
from dreg_client.values.arguments import not_a_flag
from dreg_client.values.digest import Digest, proven_digest
from dreg_client.values.json_values import FEW_VALUES, has_many_values, most_values
from dreg_client.values.media_type import essence
from dreg_client.values.sizes import MAX_DOCUMENT

M = TypeVar("M", bound="ParsedModel")
ALLOW_MORE: Final = "allow more with limit="
_TEXTUAL: Final = frozenset({"GEN-01", "GEN-03", "GEN-13"})
"""The rules about the text of one value: invalid Unicode, a number that is too large, a string that is too long."""


@dataclass(frozen=True, slots=True)
class Examined(Generic[M]):
    """The result of parsing bytes: the document (None if it has errors that are not accepted) and all problems."""

    document: M | None
    problems: tuple[Problem, ...]


class ParsedModel(StrictModel, frozen=True):
    """A model that is parsed from a whole JSON document.

    Attributes:
        kind: The name of the kind, as in `validate(kind=...)`. It is also the name of the JSON Schema.
        media_types: The media types of such documents, as in a `Content-Type` or descriptor.
    """

    __slots__ = ("_digest", "_problems", "_raw")

    kind: ClassVar[str]
    media_types: ClassVar[tuple[str, ...]]
    names_itself: ClassVar[bool] = True
    """Whether `mediaType` is the media type of the document itself. In a descriptor, it is that of the content."""

    @classmethod
    def parse(
        cls, raw: RawDocument, *, media_type: str | None = None, limit: int = MAX_DOCUMENT, strict: bool = True
    ) -> Self:
        """Parse a document of this kind.

        Args:
            raw: The exact bytes, the JSON as a `str`, the file as a `Path`, or a file opened with `rb`.
            media_type: The `Content-Type` of the response, or the media type in the descriptor; None if unknown.
            limit: The maximum size in bytes (rule GEN-05), 4 MiB by default.
            strict: If false, documents with only minor errors, such as a media type with parameters, are returned, and
                their `.problems` lists the errors (see Rules, "Read invalid documents").

        Raises:
            InvalidDocumentError: The document breaks rules; `.problems` lists all problems.
            AmbiguousDocumentError: Different parsers would read it differently (GEN-02, GEN-06, GEN-08).
            MediaTypeMismatchError: Its own media type differs from `media_type` (GEN-07).
            ResponseTooLargeError: It is larger than `limit`.
        """
        if type(strict) is not bool:
            raise not_a_flag("strict", strict)
        octets = raw if type(raw) is bytes else octets_of(raw, limit)
        if media_type is None and len(octets) <= limit:
            try:
                return cls.from_tree(octets, read_members(octets))
            except (AmbiguousTextError, ValidationError):
                pass  # the slow path below reports all problems
        examined = examine(cls, octets, media_type=media_type, limit=limit, strict=strict, pedantic=False)
        if examined.document is not None:
            return examined.document
        problems = with_path_advice(raw, examined.problems)
        if media_type is None and len(octets) <= limit:
            problems = _with_kind_advice(cls.kind, octets, problems)
        if strict and rules.are_readable(examined.problems):
            readable = examine(cls, octets, media_type=media_type, limit=limit, strict=False).document is not None
            raise rejection(cls.kind, problems, octets, limit, readable=readable)
        raise rejection(cls.kind, problems, octets, limit)

    @classmethod
    def build(cls, **members: object) -> Self:
        """Create a new document or descriptor: serialize the members to JSON bytes, then parse these bytes.

        Args:
            members: The members, by attribute (`media_type=...`) or by JSON name (`mediaType=...`). Members that are
                None are omitted.

        Raises:
            InvalidDocumentError: The document breaks rules.
            TypeError: A member is not a JSON value.
        """
        names = {name: field.alias or name for name, field in cls.model_fields.items()}
        tree = {names.get(name, name): value for name, value in members.items() if value is not None}
        try:
            raw = orjson.dumps(tree, default=_plain)
        except orjson.JSONEncodeError:
            raise _not_json(tree) from None
        return cls.parse(raw)

    @classmethod
    def from_tree(cls, raw: bytes, tree: Members, context: Members | None = None) -> Self:
        """Create the model from a tree that was already parsed from `raw`.

        Raises:
            pydantic.ValidationError: The tree breaks rules; `examine` lists them.
        """
        validator = cls.__pydantic_validator__
        if len(raw) > 2 * FEW_VALUES and has_many_values(raw):  # an entry of a list takes at least two bytes
            validator = fail_fast(cls)
        document: Self = validator.validate_python(tree, context=context)
        _keep_raw(document, raw)
        keep_digest(document, None)
        return document

    if not TYPE_CHECKING:  # type checkers already reject assignments to frozen models

        def __setattr__(self, name: str, value: object) -> None:
            # pydantic only freezes fields. `_keep_raw` and the like, which set these slots, do not come here.
            if name in ParsedModel.__slots__:
                raise _frozen(self, name, value)
            super().__setattr__(name, value)

        def __delattr__(self, name: str) -> None:
            if name in ParsedModel.__slots__:
                raise _frozen(self, name, None)
            super().__delattr__(name)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """The warnings, and the errors that `strict=False` accepted.

        Raises:
            NoBytesError: It was not parsed from its own bytes, such as a field of another model.
        """
        try:
            raw = _raw_of(self)
        except AttributeError:
            raise errors.NoBytesError(type(self).__name__) from None
        try:
            return _problems_of(self)
        except AttributeError:
            pass  # computed on first use, because the problems of most documents are never needed
        examined = examine(type(self), raw, limit=len(raw), pedantic=False).problems
        found = tuple(problem for problem in examined if problem.severity is not Severity.NOTE)
        _keep_problems(self, found)
        return found

    def __str__(self) -> str:
        return repr(self)


class StoredDocument(ParsedModel, frozen=True):
    """A document with the exact bytes from which it was parsed.

    Equality and hash depend on the content; `digest` identifies the bytes. Copies and pickles keep the bytes.
    """

    @property
    def is_stored(self) -> bool:
        """Whether the document was parsed from its own bytes."""
        return hasattr(self, "_raw")

    @property
    def raw(self) -> bytes:
        """The bytes from which the document was parsed.

        Raises:
            NoBytesError: It was not parsed from its own bytes, such as a field of another model.
        """
        try:
            return _raw_of(self)
        except AttributeError:
            raise errors.NoBytesError(type(self).__name__) from None

    @property
    def digest(self) -> Digest:
        """The digest of `raw`: the digest by which it was requested, otherwise sha256 (descriptor.md "Digests").

        Raises:
            NoBytesError: It was not parsed from its own bytes, such as a field of another model.
        """
        try:
            digest = _digest_of(self)
        except AttributeError:
            raise errors.NoBytesError(type(self).__name__) from None
        if digest is None:
            digest = proven_digest("sha256:" + sha256(_raw_of(self)).hexdigest())
            keep_digest(self, digest)
        return digest

    @property
    def size(self) -> int:
        """The size of `raw` in bytes."""
        return len(self.raw)

    @property
    def _shown_digest(self) -> str:
        return self.digest.short if self.is_stored else "not stored"

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """The recommendations of the specification that the document does not follow. It is valid nevertheless."""
        return tuple(problem for problem in self.problems if problem.severity is Severity.WARNING)

    def __getstate__(self) -> dict[Any, Any]:
        kept = {"raw": self.raw, "digest": _digest_of(self)} if self.is_stored else {}
        return {**super().__getstate__(), **kept}

    def __setstate__(self, state: dict[Any, Any]) -> None:
        super().__setstate__(state)
        if "raw" in state:
            _keep_raw(self, state["raw"])
            keep_digest(self, state.get("digest"))  # pickles of older versions have none


# These slots are not annotated, because pydantic would make them private attributes, which cost a call per document.
# The slot's own descriptor sets it on a frozen model at almost no cost.
_raw_of: Callable[[ParsedModel], bytes] = vars(ParsedModel)["_raw"].__get__
_digest_of: Callable[[ParsedModel], Digest | None] = vars(ParsedModel)["_digest"].__get__
_problems_of: Callable[[ParsedModel], tuple[Problem, ...]] = vars(ParsedModel)["_problems"].__get__
_keep_problems: Callable[[ParsedModel, tuple[Problem, ...]], None] = vars(ParsedModel)["_problems"].__set__
_keep_raw: Callable[[ParsedModel, bytes], None] = vars(ParsedModel)["_raw"].__set__
keep_digest: Callable[[ParsedModel, Digest | None], None] = vars(ParsedModel)["_digest"].__set__
"""Set the verified digest by which a document was requested. None means sha256, computed on first use."""


def _frozen(model: ParsedModel, name: str, value: object) -> ValidationError:
    """Return the error that pydantic raises for an assignment to a field."""
    fault: InitErrorDetails = {"type": "frozen_instance", "loc": (name,), "input": value}
    return ValidationError.from_exception_data(type(model).__name__, [fault])


def _with_kind_advice(expected: str, octets: bytes, problems: tuple[Problem, ...]) -> tuple[Problem, ...]:
    """Return the problems of a document, the first one with advice if the document is another kind of manifest."""
    tree, _ = read_or_scan(octets, nul=False)
    kind = kind_of(tree) if tree is not None else None
    if kind == expected or not {kind, expected} <= MANIFEST_KINDS:
        return problems
    article = "an" if kind and kind[0] == "o" else "a"
    advice = f"; the document is {article} {kind}, so use parse_manifest, which reads all kinds of manifests"
    first, *others = problems
    return (replace(first, expected=f"{first.expected}{advice}"), *others)


def _plain(value: object) -> object:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude_none=True)
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, Mapping):
        return dict(cast("Mapping[str, object]", value))
    raise TypeError(type(value).__name__)


def _not_json(tree: Members) -> TypeError:
    """Return the error for members that JSON cannot represent: the first of them, and what is wrong with it."""
    for name, value in tree.items():
        try:
            orjson.dumps(value, default=_plain)
        except orjson.JSONEncodeError as failure:
            return TypeError(f"{name}: a JSON value is expected: {failure}")
    return TypeError("JSON values are expected")


def examine(
    model: type[M],
    raw: bytes,
    *,
    media_type: str | None = None,
    limit: int = MAX_DOCUMENT,
    strict: bool = True,
    pedantic: bool = True,
) -> Examined[M]:
    """Parse bytes as a kind of document and list all problems, without raising an error for an invalid document.

    Without `pedantic`, notes may be left out, which saves the time of looking for them.
    """
    if len(raw) > limit:
        return Examined(None, (too_large(raw, limit),))
    tree, problems = read_or_scan(raw, nul=model.nul_allowed)
    if tree is None:
        return Examined(None, tuple(problems))
    return examine_tree(model, raw, tree, problems, media_type, strict=strict, pedantic=pedantic)


def examine_tree(
    model: type[M],
    raw: bytes,
    tree: Members,
    of_text: list[Problem],
    media_type: str | None,
    *,
    strict: bool = True,
    pedantic: bool = True,
) -> Examined[M]:
    """Examine a tree that was already parsed from `raw`. `of_text` are the problems of its text."""
    if of_text and sum(problem.severity is Severity.ERROR for problem in of_text) > rules.MOST_REPORTED:
        return Examined(None, tuple(of_text))
    found, document = list[Problem](), None
    try:
        document = model.from_tree(raw, tree, DEPTH_PROVEN)
    except ValidationError as failure:
        found = problems_of(model, failure, tree)
    remarked = rules.first_ones(remarks(model, tree, pedantic=pedantic), until=Severity.WARNING)  # none is an error
    if document is not None and not of_text and not media_type:
        return Examined(document, tuple(remarked))
    problems = _with_text(of_text, found + remarked)
    if media_type:
        problems = _served_otherwise(model, tree, media_type, problems)
    if rules.has_error(problems):
        document, problems = (None, problems) if strict else _read_leniently(model, raw, tree, problems)
    return Examined(document, tuple(rules.first_ones(problems)))


def _with_text(of_text: list[Problem], found: list[Problem]) -> list[Problem]:
    """Return all problems. A value whose text is invalid is not reported a second time as an invalid member."""
    textual = {problem.path for problem in of_text if problem.severity is Severity.ERROR and problem.rule in _TEXTUAL}
    known = frozenset(of_text)
    return of_text + [problem for problem in found if problem.path not in textual or problem in known]


def _read_leniently(
    model: type[M], raw: bytes, tree: Members, problems: list[Problem]
) -> tuple[M | None, list[Problem]]:
    """Return the document, or None unless all its errors are readable; and its problems, unreadable errors first."""
    document, rejected = None, set[str]()
    try:
        document = model.from_tree(raw, tree, LENIENT)
    except ValidationError as failure:  # a value has the wrong JSON type
        rejected = {problem.path for problem in problems_of(model, failure, tree)}
    if document is not None and rules.are_readable(problems):
        return document, problems
    return None, sorted(problems, key=lambda it: rules.are_readable([it]) and it.path not in rejected)


def too_large(raw: bytes, limit: int) -> Problem:
    """Return the problem of a document that is larger than the limit (GEN-05)."""
    return rules.error("GEN-05", "$", f"{len(raw)} bytes", f"at most {limit} bytes")


def read_or_scan(raw: bytes, *, nul: bool) -> tuple[dict[str, object] | None, list[Problem]]:
    """Parse a text; return its tree, or None if a model cannot use it, and the problems of the text."""
    try:
        return read_object(raw), []
    except AmbiguousTextError as failure:
        return scan(raw, nul=True) if nul else (failure.tree, failure.problems)


def _served_otherwise(model: type[ParsedModel], tree: Members, served: str, problems: list[Problem]) -> list[Problem]:
    """Check GEN-07: report a wrong media type instead of other problems of `mediaType`."""
    own, claimed = tree.get("mediaType") if model.names_itself else None, essence(served)
    named = own if isinstance(own, str) else ""
    of_one_kind = claimed in model.media_types and named in {"", *model.media_types}
    if of_one_kind or claimed in {named.lower(), *SAYS_NOTHING}:
        return problems
    found = (named or " or ".join(model.media_types))[:100]
    fault = rules.error("GEN-07", "$.mediaType", found, f"{claimed[:100]}, the type in the response or descriptor")
    return [problem for problem in problems if problem.path != "$.mediaType"] + [fault]


def rejection(
    kind: str, problems: tuple[Problem, ...], raw: bytes, limit: int, *, readable: bool = False
) -> errors.DregError:
    """Return the exception for an invalid document."""
    problems = tuple(problem for problem in problems if problem.severity is not Severity.NOTE)
    broken = {problem.rule for problem in problems if problem.severity is Severity.ERROR}
    if "GEN-05" in broken and len(raw) <= limit:
        advice = "split the document, or move some of it into a blob"
        return errors.TooManyEntriesError(f"the {kind}", most_values(raw), "JSON values", advice)
    if "GEN-05" in broken:
        return errors.ResponseTooLargeError(f"the {kind}", len(raw), limit, ALLOW_MORE)
    if broken & {"GEN-02", "GEN-06", "GEN-08"}:
        return errors.AmbiguousDocumentError(problems, kind)
    if "GEN-07" in broken:
        return errors.MediaTypeMismatchError(problems, kind)
    return errors.InvalidDocumentError(problems, kind, readable=readable)
