"""Targets of blob downloads: a file that is renamed after verification, or memory up to a limit."""

import os
import stat
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Final, Literal, Self

from dreg_client import errors
from dreg_client._logging import log
from dreg_client.files.atomic import check_part, part_beside, set_rights, sweep_parts, sync_folder
from dreg_client.files.block_buffer import BLOCK, BlockBuffer
from dreg_client.files.own_file import ForeignFileError, create_own, followed, is_at, open_own
from dreg_client.files.step_thread import Block, add_piece
from dreg_client.models.descriptor import Descriptor
from dreg_client.protocol.content import BlobRequest
from dreg_client.values.arguments import check_choice, check_flag
from dreg_client.values.digest import Digest

Durability = Literal["full", "fast"]
"""`full` syncs the file to disk, so that it survives a power failure; `fast` does not."""
_ALLOW_MORE: Final = "allow more with limit=, or use download_blob"


class _ReceivedBlob:
    """A blob that is received in chunks.

    With `refetches`, content that does not match the digest is requested once more.
    """

    request: BlobRequest
    """The next request to send."""
    is_verified: bool
    """Whether the content is complete and verified."""

    def __init__(self, request: BlobRequest, *, refetches: bool) -> None:
        self.request: BlobRequest = request
        self.is_verified: bool = False
        self._refetches = refetches
        self._verifier = request.digest.verifier()

    def verify(self, what: str, encoding: str = "") -> None:
        """Verify the content after the last chunk.

        If the content is wrong and another request may help, `request` is replaced by it.

        Args:
            what: The name of the blob, for errors.
            encoding: The `Content-Encoding` of the response.

        Raises:
            IntegrityError: The content is wrong, and no other request is left to try.
        """
        size = self.request.size
        if size is not None and self._verifier.size != size and not encoding:
            raise errors.SizeMismatchError(size, self._verifier.size, what)
        try:
            self._verifier.verify(what)
        except errors.DigestMismatchError:
            again = self.request.again(encoding) if self._refetches else None
            if again is not None:
                self._restart(again)
            elif encoding:
                message = f"{what}: sent as {encoding[:20]}; its digest is wrong both as sent and decompressed"
                raise errors.ContentEncodingError(message) from None
            else:
                raise
        else:
            self.is_verified = True

    def _restart(self, request: BlobRequest) -> None:
        self._verifier, self.request = request.digest.verifier(), request


class PartialFile(_ReceivedBlob):
    """A file that is being downloaded. As a context manager, it removes the partial file unless it is finished.

    With `resume`, the bytes of an interrupted download are kept for a later call. `durability` determines whether
    `finish` syncs the file to disk. All methods raise `LayoutError` if the file cannot be written.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        request: BlobRequest,
        *,
        resume: bool,
        durability: Durability,
        refetches: bool,
    ) -> None:
        check_choice("durability", durability, ("full", "fast"))
        check_flag("resume", resume)
        super().__init__(request, refetches=refetches)
        self._target, self._keep, self._durability = regular_target(path), resume, durability
        self._part = kept_part(self._target, request.digest) if resume else part_beside(self._target)
        self._buffer = BlockBuffer()
        self._file = -1
        self._is_broken = False
        self._lock = Lock()

    def __enter__(self) -> Self:
        sweep_parts(self._target.parent)
        try:
            self._file = self._opened()
        except OSError as failure:
            self._close(discard=not self._keep)
            raise self._cannot_write(failure) from failure
        except BaseException:  # such as Ctrl-C just after the file was created
            self._close(discard=not self._keep)
            raise
        return self

    def _opened(self) -> int:
        """Open the partial file. If another download of the blob to the same folder holds it, open one without resume.

        Its name is that of the blob, so the other download may have another target. It may take hours: this one does
        not wait for it.
        """
        if self._keep:
            with suppress(BlockingIOError):
                return _open_kept(self._part)
            log.info("%s: in use by another download; this one cannot be resumed", self._part)
            self._keep, self._part = False, part_beside(self._target)
        return create_own(self._part)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        is_open, is_interrupted = self._file >= 0, error is not None and not isinstance(error, errors.LayoutError)
        with suppress(OSError):
            if is_interrupted and self._keep and is_open:
                self._flush()  # keep the bytes for a later call
        is_wrong = isinstance(error, errors.IntegrityError | errors.NotFoundError) or self._verifier.size == 0
        self._close(discard=is_open and (not self._keep or is_wrong))

    def hash_kept(self) -> None:
        """Hash the bytes that an earlier call kept, and continue the download after them."""
        try:
            os.lseek(self._file, 0, os.SEEK_SET)
            while block := os.read(self._file, BLOCK):
                self._verifier.update(block)
        except OSError as failure:
            raise self._cannot_write(failure) from failure
        self.request: BlobRequest = replace(self.request, start=self._verifier.size)

    def add(self, chunk: bytes) -> bool:
        """Add a chunk; return whether there are enough chunks for a block."""
        return self._buffer.add(chunk)

    def take_block(self) -> Block:
        """Remove and return the chunks as one block, which must be passed to `write` and `hash` in order."""
        return self._buffer.take()

    def write(self, block: Block) -> None:
        """Write a block. After a failure, further blocks are ignored, so that the file has no gaps."""
        try:
            with self._lock:
                for piece in () if self._is_broken or self._file < 0 else block:
                    rest = memoryview(piece)
                    while rest:
                        rest = rest[os.write(self._file, rest) :]
        except OSError as failure:
            self._is_broken = True
            raise self._cannot_write(failure) from failure

    def hash(self, block: Block) -> None:
        """Hash a block."""
        for piece in block:
            self._verifier.update(piece)

    def _flush(self) -> None:
        block = self.take_block()
        self.write(block)
        self.hash(block)

    def verify(self, what: str, encoding: str = "") -> None:
        """Write the remaining chunks, then verify the content; see the base class."""
        self._flush()
        super().verify(what, encoding)

    def start_over(self) -> bool:
        """Drop the bytes of an earlier call, because they do not match. Return False if there are none."""
        if self.request.start == 0:
            return False
        self._restart(replace(self.request, start=0))
        return True

    def _restart(self, request: BlobRequest) -> None:
        try:
            os.ftruncate(self._file, 0)
            os.lseek(self._file, 0, os.SEEK_SET)
        except OSError as failure:
            raise self._cannot_write(failure) from failure
        super()._restart(request)
        self._buffer = BlockBuffer()

    def finish(self) -> None:
        """Sync the file if `durability` requires it, and rename it to its target."""
        try:
            if self._durability == "full":
                os.fsync(self._file)
            set_rights(self._file, self._target)
            check_part(self._part, self._file)
            if os.name == "nt":  # Windows cannot rename an open file
                self._close(discard=False)
            self._part.replace(self._target)
            self._close(discard=False)
            if self._durability == "full":
                sync_folder(self._target.parent)
        except OSError as failure:
            raise self._cannot_write(failure) from failure

    @property
    def descriptor(self) -> Descriptor:
        """The descriptor of the downloaded content."""
        media_type = "application/octet-stream"
        return Descriptor(mediaType=media_type, digest=self.request.digest, size=self._verifier.size)

    def _close(self, *, discard: bool) -> None:
        if discard:
            with suppress(OSError):
                if self._file < 0 or is_at(self._part, self._file):
                    self._part.unlink()
        # The system may reuse the descriptor at once, so no thread may use it after this, even if `close` fails.
        with self._lock:
            file, self._file = self._file, -1
            if file >= 0:
                os.close(file)

    def _cannot_write(self, failure: OSError) -> errors.LayoutError:
        return errors.LayoutError(str(self._target), f"cannot be written: {failure.strerror}")


class BlobBuffer(_ReceivedBlob):
    """A blob that is being read into memory. Raises `ResponseTooLargeError` if it exceeds the limit in bytes."""

    def __init__(self, request: BlobRequest, limit: int, *, refetches: bool) -> None:
        super().__init__(request, refetches=refetches)
        self._limit = limit
        self._chunks: Block = []
        if request.size is not None and request.size > limit:
            raise errors.ResponseTooLargeError(str(request.digest), request.size, limit, _ALLOW_MORE)

    def add(self, chunk: bytes) -> None:
        """Add a chunk."""
        self._verifier.update(chunk)
        if self._verifier.size > self._limit:
            raise errors.ResponseTooLargeError(str(self.request.digest), self._verifier.size, self._limit, _ALLOW_MORE)
        add_piece(self._chunks, chunk)

    def _restart(self, request: BlobRequest) -> None:
        super()._restart(request)
        self._chunks = []

    def octets(self) -> bytes:
        """Return the content."""
        return b"".join(self._chunks)


def regular_target(path: str | os.PathLike[str], advice: str = "use stream_blob instead") -> Path:
    """Return the file that a path names, after following links; raise LayoutError if it is not a regular file."""
    try:
        target = followed(path)
        mode = target.lstat().st_mode if os.path.lexists(target) else stat.S_IFREG
    except ForeignFileError as fault:
        raise errors.LayoutError(os.fspath(path), f"{fault}; pass the path that it leads to") from None
    except OSError as failure:
        raise errors.LayoutError(os.fspath(path), f"cannot be written: {failure.strerror}") from failure
    except ValueError:
        raise errors.LayoutError(os.fspath(path), "cannot be written: no file can have this name") from None
    if stat.S_ISDIR(mode):
        raise errors.LayoutError(str(path), "cannot be written: it is a directory; pass the path of a file")
    if not stat.S_ISREG(mode):
        raise errors.LayoutError(str(path), f"cannot be written: it is not a regular file; {advice}")
    return target


def kept_part(target: Path, digest: Digest) -> Path:
    """Return where the bytes of an interrupted download are kept: a later call finds them by the digest."""
    return target.with_name(f".{digest.algorithm}-{digest.encoded}.part")


def _open_kept(part: Path) -> int:
    try:
        return open_own(part)
    except ForeignFileError as fault:
        reason = f"{fault}; delete it, or download without resuming"
        raise errors.LayoutError(str(part), reason) from None
