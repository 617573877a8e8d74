"""Stores of images: one question to implement, every view for free.

A store answers *asks* (see `asks`), a closed union. All that users call is a plan over asks; so a layout on disk, an
archive and a registry give the same views.
"""

import os
from abc import ABC, abstractmethod
from collections.abc import Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from types import TracebackType
from typing import ClassVar, Literal, Self, TypeVar, cast, overload

from dreg_client import errors
from dreg_client.asks import (
    MAX_BLOB,
    Ask,
    Blob,
    HasBlob,
    Named,
    Plan,
    RawManifest,
    Tags,
    Verify,
    Wanted,
    blob_ask,
    config_at,
    digest_of,
    manifest_of,
    raw_manifest,
    referrers_of,
    resolved,
)
from dreg_client.files.blob_file import Durability, Held, Landing, encoding_of
from dreg_client.files.write_behind import Behind
from dreg_client.models.config import ImageConfig
from dreg_client.models.descriptor import Descriptor
from dreg_client.models.index import AnyManifest
from dreg_client.models.legacy import LegacyManifest
from dreg_client.models.manifest import ImageManifest
from dreg_client.protocol.plan import run
from dreg_client.values.digest import Digest, Verifier

T = TypeVar("T")
Chunks = AbstractContextManager[Iterator[bytes]]


class Store(ABC):
    """Where images are: a registry's repository, a layout, an archive. A context manager.

    To make one, implement `answer` and `name`. What a store cannot answer raises one of `dreg_client.errors`.

    Attributes:
        writes_manifests: Whether it has none of its own, so that those which it shows are written here.
        rereads: Whether bytes that are not those of their digest are asked for anew, since they came from afar.
    """

    writes_manifests: bool = False
    rereads: ClassVar[bool] = False

    @property
    @abstractmethod
    def name(self) -> str:
        """What people call this store: a repository's name, a path."""

    @property
    def address(self) -> str:
        """Where this store is: a repository's name with its registry before it, a path."""
        return self.name

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

    def resolve(self, reference: Named) -> Descriptor:
        """What the store says of what a tag, a digest or a descriptor names.

        Raises:
            NotFoundError: There is no such thing.
            ConflictError: The name stands for several things.
        """
        return self.run(resolved(reference))

    def check_manifest(self, reference: Named) -> Digest | None:
        """The digest of what a tag, a digest or a descriptor names, None where there is no such thing."""
        try:
            return self.resolve(reference).digest
        except errors.NotFoundError:
            return None

    @overload
    def get_manifest(self, reference: Named, *, legacy: Literal[False] = False) -> AnyManifest: ...
    @overload
    def get_manifest(self, reference: Named, *, legacy: Literal[True]) -> AnyManifest | LegacyManifest: ...
    def get_manifest(self, reference: Named, *, legacy: bool = False) -> AnyManifest | LegacyManifest:
        """The manifest or index at a reference, proven and parsed.

        Raises:
            NotFoundError: There is no such thing.
            DigestMismatchError: Other bytes lie there.
            InvalidDocumentError: The document breaks rules; look at it with `get_raw_manifest`.
            UnsupportedMediaTypeError: It is no modern manifest.
        """
        return self.run(manifest_of(reference, legacy=legacy))

    def get_raw_manifest(self, reference: Named) -> RawManifest:
        """The bytes of a manifest, proven but not parsed: for documents that are broken."""
        return self.run(raw_manifest(reference))

    def get_config(self, reference: Named | ImageManifest) -> ImageConfig:
        """The config of the image at a reference, of a manifest at hand, or at the descriptor of the config itself.

        Raises:
            NotAnImageError: It is an artifact, or an index: choose a platform of it first.
        """
        return self.run(config_at(reference))

    def referrers(
        self, digest: Wanted, artifact_type: str | None = None, *, verify: Verify = False
    ) -> tuple[Descriptor, ...]:
        """What refers to a manifest, such as its signatures, in the store's order (distribution-spec).

        A registry's list is its claim. Verified, the manifest of each entry is read and proven, and what does not have
        this one as its `subject`, cannot be read, or is of another type than was asked for is left out, with a warning.

        Args:
            digest: The manifest that is referred to; it need not be there.
            artifact_type: Only those of this type.
            verify: Whether the list is verified; `strict` raises where else something is left out.

        Raises:
            IntegrityError: Strict, and what is listed has another subject.
            NotFoundError: Strict, and what is listed is not there.
            DocumentError: Strict, and what is listed cannot be read.
        """
        return self.run(referrers_of(digest_of(digest), artifact_type, verify))

    def has_blob(self, digest: Wanted) -> bool:
        """Whether there is a blob of this digest; it is not read."""
        return bool(self.answer(HasBlob(digest_of(digest))))

    def get_blob(self, blob: Wanted, *, limit: int = MAX_BLOB) -> bytes:
        """A blob whole, checked against its digest.

        Args:
            blob: What to read.
            limit: The most bytes to hold in memory, 64 MiB unless told.

        Raises:
            ResponseTooLargeError: There are more than `limit` bytes.
            DigestMismatchError: Other bytes lie there.
            NotFoundError: There is no such blob.
        """
        held = Held(blob_ask(blob), limit, rereads=self.rereads)
        while not held.is_proven:
            with self._blob(held.ask) as chunks:
                for chunk in chunks:
                    held.add(chunk)
                held.prove(self._where(held.ask), encoding_of(chunks))
        return held.octets()

    @contextmanager
    def stream_blob(
        self, blob: Wanted, *, start: int = 0, verifier: Verifier | None = None
    ) -> Generator[Iterator[bytes]]:
        """A blob in chunks; the last one is handed over once the digest was right. Until then nothing is proven.

        Args:
            blob: What to read.
            start: The place of the first byte. What comes from there is proven only with a `verifier`.
            verifier: What was fed the first `start` bytes, so that the end proves all of them.

        Raises:
            DigestMismatchError: In place of the last chunk: other bytes lie there.
            NotFoundError: There is no such blob.
            UnsupportedDigestError: Nothing can be proven by this digest. Nothing was read.
        """
        ask = blob_ask(blob, start)
        verifier = verifier if start else ask.digest.verifier()
        with self._blob(ask) as chunks:
            yield _proven(chunks, verifier, self._where(ask)) if verifier else chunks

    def download_blob(
        self,
        blob: Wanted,
        path: str | os.PathLike[str],
        *,
        resume: bool = False,
        durability: Durability = "full",
        connections: int = 1,
    ) -> Descriptor:
        """A blob to a file, which takes its name once the bytes are proven: whole or not at all.

        Args:
            blob: What to read.
            path: The file; what was there before stays until then.
            resume: Whether what comes is kept beside the file, as `.sha256-....part`, until it is whole, so that a
                later call goes on with it. What was kept is hashed again: nothing is trusted.
            durability: `full` survives a loss of power, `fast` leaves that to the system.
            connections: How many pieces of 4 MiB a registry is asked for at a time, for servers that give each
                connection so much. Where it gives no pieces, or the blob is smaller than 16 MiB, it is read by one.
                Two pieces more than that are held at most. Layouts and archives have no connections.

        Returns:
            The blob's descriptor.

        Raises:
            DigestMismatchError: Other bytes came, also when asked for anew.
            NotFoundError: There is no such blob.
            LayoutError: The file cannot be written.
            LayoutLockedError: Another process is at work on the same file (`resume`).
        """
        ask = blob_ask(blob, connections=connections)
        with Landing(path, ask, resume=resume, durability=durability, rereads=self.rereads) as landing:
            while not landing.is_proven:
                try:
                    self._land(landing)
                except errors.SizeMismatchError:
                    if not landing.begin_anew():
                        raise
            landing.finish()
        return landing.descriptor if not isinstance(blob, Descriptor) else blob

    def _land(self, landing: Landing) -> None:
        with self._blob(landing.ask) as chunks, Behind(landing.write, landing.hash) as behind:
            for chunk in chunks:
                if landing.hold(chunk):
                    behind.put(landing.take())
            behind.finish()
            landing.prove(self._where(landing.ask), encoding_of(chunks))

    def _blob(self, ask: Blob) -> Chunks:
        return cast("Chunks", self.answer(ask))

    def _where(self, ask: Blob) -> str:
        return f"blob {ask.digest.short} of {self.name}"


def _proven(chunks: Iterator[bytes], verifier: Verifier, where: str) -> Iterator[bytes]:
    """The chunks; each waits for the next, so that the last one goes out only once the digest was right."""
    held = b""
    for chunk in chunks:
        verifier.update(chunk)
        if held and chunk:
            yield held
        held = chunk or held
    verifier.verify(where)
    if held:
        yield held
