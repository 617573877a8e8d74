"""Where a blob lands: in memory within a bound, or in a file that takes its name once the bytes are proven."""

import os
import secrets
import stat
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from threading import Lock
from typing import Final, Literal, Self

from dreg_client import errors
from dreg_client.asks import Blob
from dreg_client.files.atomic import keep_name, umask
from dreg_client.files.stale_parts import sweep
from dreg_client.models.descriptor import Descriptor
from dreg_client.values.digest import Verifier
from dreg_client.values.sizes import MEBIBYTE

Durability = Literal["full", "fast"]
_BLOCK: Final = MEBIBYTE
_MOST_PIECES: Final = 8
_ANY: Final = "application/octet-stream"


def encoding_of(chunks: object) -> str:
    """How the chunks of a blob came packed though that was not asked for; empty where they did not."""
    return str(getattr(chunks, "encoding", ""))


class Landing:
    """A blob on its way to a file; a context manager that clears away what is not finished.

    Attributes:
        ask: What is to be asked for next.
        is_proven: Whether all bytes are there, and proven.
    """

    ask: Blob
    is_proven: bool

    def __init__(
        self, path: str | os.PathLike[str], ask: Blob, *, resume: bool, durability: Durability, rereads: bool
    ) -> None:
        self.ask, self.is_proven = ask, False
        self._target, self._keep, self._durability, self._rereads = _target(path), resume, durability, rereads
        self._part = self._target.with_name(_part_name(self._target, ask, resume=resume))
        self._held: list[bytes] = []
        self._size = 0
        self._verifier = ask.digest.verifier()
        self._file = -1
        self._is_broken = False
        self._own = Lock()

    def __enter__(self) -> Self:
        sweep(self._target.parent)
        try:
            self._file = _opened(self._part, locked=self._keep)
            self._take_what_is_there()
        except OSError as failure:
            self._close(discard=not self._keep)
            raise self._unwritable(failure) from failure
        except BaseException:  # Ctrl-C, just as the file is there
            self._close(discard=not self._keep)
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        with suppress(OSError):
            self._flush_quietly(error)
        wrong = isinstance(error, errors.IntegrityError | errors.NotFoundError) or self._verifier.size == 0
        self._close(discard=self._file >= 0 and (not self._keep or wrong))

    def _flush_quietly(self, error: BaseException | None) -> None:
        """What came before an interruption is kept for a later call."""
        if error is not None and self._keep and self._file >= 0 and not isinstance(error, errors.LayoutError):
            self.flush()

    def _take_what_is_there(self) -> None:
        """The bytes of an earlier call, hashed again."""
        os.lseek(self._file, 0, os.SEEK_SET)
        while block := os.read(self._file, _BLOCK):
            self._verifier.update(block)
        self.ask = replace(self.ask, start=self._verifier.size)

    def hold(self, chunk: bytes) -> bool:
        """Take a chunk. True when so much is held that it is a block."""
        self._held.append(chunk)
        self._size += len(chunk)
        return self._size >= _BLOCK

    def take(self) -> list[bytes]:
        """What is held, as one block: `write` and `hash` are to be given it, block after block."""
        # Few large pieces are hashed as they are; many small ones would wrest the interpreter from the reading.
        block = self._held if len(self._held) <= _MOST_PIECES else [b"".join(self._held)]
        self._held, self._size = [], 0
        return block

    def write(self, block: list[bytes]) -> None:
        """Write a block; after one could not be written, nothing is.

        Raises:
            LayoutError: It cannot be written.
        """
        try:
            with self._own:
                for piece in () if self._is_broken or self._file < 0 else block:
                    _write_all(self._file, piece)
        except OSError as failure:
            self._is_broken = True
            raise self._unwritable(failure) from failure

    def hash(self, block: list[bytes]) -> None:
        """Hash a block."""
        for piece in block:
            self._verifier.update(piece)

    def flush(self) -> None:
        """Write what is held, and hash it (see `write`)."""
        block = self.take()
        self.write(block)
        self.hash(block)

    def prove(self, where: str, encoding: str = "") -> None:
        """The body has ended: prove the bytes, or ask for them anew.

        Raises:
            DigestMismatchError: They are others, also when asked for anew.
            ContentEncodingError: They are others, packed and unpacked.
        """
        self.flush()
        again = _proven_or_again(self._verifier, self.ask, where, encoding, rereads=self._rereads)
        self.is_proven = again is None
        if again is not None:
            self._restart(again)

    def begin_anew(self) -> bool:
        """Drop what an earlier call left, since the bytes do not fit. False where it left nothing."""
        if self.ask.start == 0:
            return False
        self._held, self._size = [], 0
        self._restart(replace(self.ask, start=0))
        return True

    def _restart(self, ask: Blob) -> None:
        try:
            os.ftruncate(self._file, 0)
            os.lseek(self._file, 0, os.SEEK_SET)
        except OSError as failure:
            raise self._unwritable(failure) from failure
        self._verifier, self.ask = ask.digest.verifier(), ask

    def finish(self) -> None:
        """Give the file its name.

        Raises:
            LayoutError: That cannot be done.
        """
        try:
            if self._durability == "full":
                os.fsync(self._file)
            self._part.chmod(0o644 & ~umask())
            if os.name == "nt":  # there, a file that is open keeps its name
                self._close(discard=False)
            self._part.replace(self._target)
            self._close(discard=False)
            if self._durability == "full":
                keep_name(self._target.parent)
        except OSError as failure:
            raise self._unwritable(failure) from failure

    @property
    def descriptor(self) -> Descriptor:
        """What landed."""
        return Descriptor(mediaType=_ANY, digest=self.ask.digest, size=self._verifier.size)

    def _close(self, *, discard: bool) -> None:
        if discard:
            with suppress(OSError):
                self._part.unlink()
        # Its number is soon that of another file: whatever closing says, no thread writes to it from here on.
        with self._own:
            file, self._file = self._file, -1
            if file >= 0:
                os.close(file)

    def _unwritable(self, failure: OSError) -> errors.LayoutError:
        return errors.LayoutError(str(self._target), f"cannot be written: {failure.strerror}")


class Held:
    """A blob on its way into memory.

    Attributes:
        ask: What is to be asked for next.
        is_proven: Whether all bytes are there, and proven.
    """

    ask: Blob
    is_proven: bool

    def __init__(self, ask: Blob, limit: int, *, rereads: bool) -> None:
        self.ask, self.is_proven = ask, False
        self._limit, self._rereads = limit, rereads
        self._chunks: list[bytes] = []
        self._verifier = ask.digest.verifier()
        if ask.size is not None and ask.size > limit:
            raise errors.ResponseTooLargeError(str(ask.digest), ask.size, limit)

    def add(self, chunk: bytes) -> None:
        """Take a chunk.

        Raises:
            ResponseTooLargeError: There are more bytes than the limit.
        """
        self._verifier.update(chunk)
        if self._verifier.size > self._limit:
            raise errors.ResponseTooLargeError(str(self.ask.digest), self._verifier.size, self._limit)
        self._chunks.append(chunk)

    def prove(self, where: str, encoding: str = "") -> None:
        """The body has ended: prove the bytes, or ask for them anew (see `Landing.prove`)."""
        again = _proven_or_again(self._verifier, self.ask, where, encoding, rereads=self._rereads)
        self.is_proven = again is None
        if again is not None:
            self._chunks, self._verifier, self.ask = [], again.digest.verifier(), again

    def octets(self) -> bytes:
        """The bytes."""
        return b"".join(self._chunks)


def _proven_or_again(verifier: Verifier, ask: Blob, where: str, encoding: str, *, rereads: bool) -> Blob | None:
    """None where the bytes are proven, else what to ask for anew."""
    if ask.size is not None and verifier.size != ask.size and not encoding:
        raise errors.SizeMismatchError(ask.size, verifier.size, where)
    try:
        verifier.verify(where)
    except errors.DigestMismatchError:
        again = ask.again(encoding) if rereads else None
        if again is not None:
            return again
        if encoding:
            message = f"{where}: came as {encoding[:20]}, and is another one both packed and unpacked"
            raise errors.ContentEncodingError(message) from None
        raise
    return None


# --- files


def _target(path: str | os.PathLike[str]) -> Path:
    target = Path(os.path.realpath(path))
    try:
        mode = target.stat().st_mode
    except FileNotFoundError:
        return target
    except OSError as failure:
        raise errors.LayoutError(str(path), f"cannot be written: {failure.strerror}") from failure
    if stat.S_ISDIR(mode):
        raise errors.LayoutError(str(path), "cannot be written: it is a folder; name a file")
    if not stat.S_ISREG(mode):
        raise errors.LayoutError(str(path), "cannot be written: it is no regular file; use stream_blob for it")
    return target


def _part_name(target: Path, ask: Blob, *, resume: bool) -> str:
    """The file's name until it is whole; to be found again, it is that of the content."""
    if resume:
        return f".{ask.digest.algorithm}-{ask.digest.encoded}.part"
    return f".{os.fsdecode(os.fsencode(target.name)[:100])}.{secrets.token_hex(8)}.part"


def _opened(part: Path, *, locked: bool) -> int:
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
    flags |= getattr(os, "O_BINARY", 0)
    if not locked:
        return os.open(part, flags | os.O_EXCL, 0o600)
    while True:
        file = os.open(part, flags, 0o600)
        try:
            _lock(file, part)
            if _is_still(part, file):
                return file
        except BaseException:
            os.close(file)
            raise
        os.close(file)


def _lock(file: int, part: Path) -> None:
    try:
        import fcntl  # noqa: PLC0415 (Windows has none)
    except ImportError:
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise errors.LayoutLockedError(str(part), "another process is at work on it; wait for its end") from None


def _is_still(part: Path, file: int) -> bool:
    """Whether the name is that of the open file: another process may have finished it in between."""
    try:
        return part.lstat().st_ino == os.fstat(file).st_ino
    except FileNotFoundError:
        return False


def _write_all(file: int, block: bytes) -> None:
    view = memoryview(block)
    while view:
        view = view[os.write(file, view) :]
