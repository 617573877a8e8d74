"""Stores of images: one question to implement, every view for free.

A store answers *asks*, a closed union. All that users call is a plan over asks, written once here and in `image`; so a
layout on disk, an archive and a registry give the same views, and every byte is proven in one place.
"""

from abc import ABC, abstractmethod
from collections.abc import Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import ClassVar, Final, Literal, Self, TypeVar, cast, overload

from dreg_client import errors
from dreg_client.models.config import ImageConfig
from dreg_client.models.descriptor import Descriptor
from dreg_client.models.index import Index
from dreg_client.models.legacy import LegacyManifest
from dreg_client.models.manifest import OPEN_CONFIG_TYPES, ImageManifest
from dreg_client.models.parse import AnyManifest, parse_document, parse_manifest
from dreg_client.models.stored import MAX_DOCUMENT, MEBIBYTE
from dreg_client.protocol.plan import run
from dreg_client.values import media_type as types
from dreg_client.values.digest import Digest

T = TypeVar("T")
MAX_BLOB: Final = 64 * MEBIBYTE


@dataclass(frozen=True, slots=True)
class Resolve:
    """What does this name point at? Answered by a `Descriptor`.

    Attributes:
        reference: A tag, a digest, or the empty text: the only thing that the store holds.
    """

    reference: str


@dataclass(frozen=True, slots=True)
class Document:
    """The bytes of a manifest, index or config. Answered by `bytes`, at most `limit` of them, not proven yet."""

    descriptor: Descriptor
    limit: int = MAX_DOCUMENT


@dataclass(frozen=True, slots=True)
class Tags:
    """All tags. Answered by a tuple of `str`, in the store's order."""


@dataclass(frozen=True, slots=True)
class HasBlob:
    """Is there such a blob? Answered by `bool`."""

    digest: Digest


@dataclass(frozen=True, slots=True)
class Blob:
    """The bytes of a blob from `start` on. Answered by a context manager of an iterator of chunks, not proven yet."""

    digest: Digest
    start: int = 0


Ask = Resolve | Document | Tags | HasBlob | Blob
Plan = Generator[Ask, object, T]
Chunks = AbstractContextManager[Iterator[bytes]]


@dataclass(frozen=True, slots=True)
class RawManifest:
    """The bytes of a manifest, proven but not parsed: for documents that are broken.

    Attributes:
        raw: The bytes.
        media_type: What the store says that they are.
        digest: Their digest, as they were asked for.
    """

    raw: bytes
    media_type: str
    digest: Digest


def resolved(reference: str | Descriptor) -> Plan[Descriptor]:
    """The descriptor that a tag or a digest stands for."""
    if isinstance(reference, Descriptor):
        return reference
    return cast("Descriptor", (yield Resolve(reference)))


def proven_bytes(descriptor: Descriptor, limit: int = MAX_DOCUMENT) -> Plan[bytes]:
    """The bytes of a document, of the size and digest that its descriptor says (descriptor.md "Verification")."""
    if not descriptor.digest.computable:
        raise errors.UnsupportedDigestError(descriptor.digest)
    raw = cast("bytes", (yield Document(descriptor, limit)))
    if len(raw) != descriptor.size:
        raise errors.SizeMismatchError(descriptor.size, len(raw), descriptor.digest)
    if (actual := Digest.of(raw, descriptor.digest.algorithm)) != descriptor.digest:
        raise errors.DigestMismatchError(descriptor.digest, actual, "the document")
    return raw


def manifest_of(reference: str | Descriptor, *, legacy: bool = False) -> Plan[AnyManifest | LegacyManifest]:
    """The manifest or index at a reference: proven, then parsed."""
    descriptor = yield from resolved(reference)
    raw = yield from proven_bytes(descriptor)
    with _named(descriptor.digest):
        if legacy:
            return parse_manifest(raw, descriptor.media_type, legacy=True)
        return parse_manifest(raw, descriptor.media_type)


def config_of(manifest: ImageManifest) -> Plan[ImageConfig]:
    """The config of an image; an artifact's is none (`NotAnImageError`)."""
    descriptor = manifest.config
    old = manifest.media_type == types.DOCKER_MANIFEST and descriptor.media_type in OPEN_CONFIG_TYPES
    if descriptor.media_type not in types.CONFIGS and not old:
        raise errors.NotAnImageError(descriptor.media_type, manifest.digest)
    raw = yield from proven_bytes(descriptor)
    with _named(descriptor.digest):
        return parse_document(raw, kind="image-config")


@contextmanager
def _named(digest: Digest) -> Generator[None]:
    """A broken document says which one it is; one of another type than was said breaks all rules of that type."""
    try:
        yield
    except errors.InvalidDocumentError as failure:
        mismatch = tuple(problem for problem in failure.problems if problem.rule == "GEN-07")
        if mismatch:
            raise errors.MediaTypeMismatchError(mismatch, failure.kind, digest) from None
        raise type(failure)(failure.problems, failure.kind, digest) from None


class Store(ABC):
    """Where images are: a registry's repository, a layout, an archive. A context manager.

    To make one, implement `answer` and `name`. What a store cannot answer raises one of `dreg_client.errors`.

    Attributes:
        writes_manifests: Whether it has none of its own, so that those which it shows are written here.
    """

    writes_manifests: ClassVar[bool] = False

    @property
    @abstractmethod
    def name(self) -> str:
        """What people call this store: a repository's name, a path."""

    @abstractmethod
    def answer(self, ask: Ask) -> object:
        """Answer one question (see the classes of `Ask` for what is due)."""

    def close(self) -> None:  # noqa: B027 (most stores hold nothing)
        """Give back what the store holds open."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def run(self, plan: Plan[T]) -> T:
        """Carry out a plan of asks on this store."""
        return run(plan, self.answer)

    def tags(self) -> tuple[str, ...]:
        """All tags, in the store's order."""
        return cast("tuple[str, ...]", self.answer(Tags()))

    def resolve(self, reference: str) -> Descriptor:
        """The descriptor of what a tag or a digest names.

        Raises:
            NotFoundError: There is no such thing.
            ConflictError: The name stands for several things.
        """
        return self.run(resolved(reference))

    def check_manifest(self, reference: str) -> Digest | None:
        """The digest of what a tag or a digest names, None where there is no such thing."""
        try:
            return self.resolve(reference).digest
        except errors.NotFoundError:
            return None

    @overload
    def get_manifest(self, reference: str | Descriptor, *, legacy: Literal[False] = False) -> AnyManifest: ...
    @overload
    def get_manifest(self, reference: str | Descriptor, *, legacy: Literal[True]) -> AnyManifest | LegacyManifest: ...
    def get_manifest(self, reference: str | Descriptor, *, legacy: bool = False) -> AnyManifest | LegacyManifest:
        """The manifest or index at a reference, proven and parsed.

        Raises:
            NotFoundError: There is no such thing.
            DigestMismatchError: Other bytes lie there.
            InvalidDocumentError: The document breaks rules; look at it with `get_raw_manifest`.
            UnsupportedMediaTypeError: It is no modern manifest.
        """
        return self.run(manifest_of(reference, legacy=legacy))

    def get_raw_manifest(self, reference: str | Descriptor) -> RawManifest:
        """The bytes of a manifest, proven but not parsed: for documents that are broken."""
        return self.run(_raw_manifest(reference))

    def get_config(self, reference: str | ImageManifest) -> ImageConfig:
        """The config of the image at a reference, or of a manifest at hand.

        Raises:
            NotAnImageError: It is an artifact, or an index: choose a platform of it first.
        """
        return self.run(_config(reference))

    def has_blob(self, digest: Digest) -> bool:
        """Whether there is a blob of this digest; it is not read."""
        return bool(self.answer(HasBlob(digest)))

    def get_blob(self, digest: Digest | str, *, limit: int = MAX_BLOB) -> bytes:
        """A blob whole, checked against its digest.

        Args:
            digest: What to read.
            limit: The most bytes to hold in memory, 64 MiB unless told.

        Raises:
            ResponseTooLargeError: There are more than `limit` bytes.
            DigestMismatchError: Other bytes lie there.
            NotFoundError: There is no such blob.
        """
        held: list[bytes] = []
        size = 0
        with self.stream_blob(digest) as chunks:
            for chunk in chunks:
                size += len(chunk)
                if size > limit:
                    raise errors.ResponseTooLargeError(str(digest), size, limit)
                held.append(chunk)
        return b"".join(held)

    @contextmanager
    def stream_blob(self, digest: Digest | str) -> Generator[Iterator[bytes]]:
        """A blob in chunks. The last one is followed by the check: until the iterator ends, nothing is proven.

        Raises:
            DigestMismatchError: At the end: other bytes lie there.
            NotFoundError: There is no such blob.
            UnsupportedDigestError: Nothing can be proven by this digest. Nothing was read.
        """
        wanted = Digest(digest)
        with cast("Chunks", self.answer(Blob(_computable(wanted)))) as chunks:
            yield _proven(chunks, wanted, f"blob {wanted.short} of {self.name}")


def _computable(digest: Digest) -> Digest:
    if not digest.computable:
        raise errors.UnsupportedDigestError(digest)
    return digest


def _proven(chunks: Iterator[bytes], digest: Digest, where: str) -> Iterator[bytes]:
    verifier = digest.verifier()
    for chunk in chunks:
        verifier.update(chunk)
        yield chunk
    verifier.verify(where)


def _raw_manifest(reference: str | Descriptor) -> Plan[RawManifest]:
    descriptor = yield from resolved(reference)
    raw = yield from proven_bytes(descriptor)
    return RawManifest(raw, descriptor.media_type, descriptor.digest)


def _config(reference: str | ImageManifest) -> Plan[ImageConfig]:
    if isinstance(reference, ImageManifest):
        return (yield from config_of(reference))
    manifest = yield from manifest_of(reference)
    if isinstance(manifest, Index | LegacyManifest):
        raise errors.NotAnImageError(manifest.media_type, manifest.digest)
    return (yield from config_of(manifest))
