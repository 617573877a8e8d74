"""The bytes of one large blob by several requests side by side; what is asked for next is decided by `BlobRanges`."""

from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from mmap import mmap
from queue import SimpleQueue
from typing import Self

from dreg_client.asks import Blob
from dreg_client.connection import BlobBody, Connection
from dreg_client.protocol.blob_reader import BlobTransfer
from dreg_client.protocol.content import BlobRequest
from dreg_client.protocol.ranges import BlobRanges
from dreg_client.values.reference import RepositoryName
from dreg_client.values.sizes import MEBIBYTE
from dreg_client.waiting import waiting


class SideBySide:
    """The bytes of a blob in order, as `BlobBody` gives them; a context manager, and an iterator within it.

    The caller's thread asks for the first piece. Where that is one, a thread for each connection reads a piece at a
    time, and holds no connection while it waits for anything else. When this is closed, none of them is left.

    Args:
        connection: The client of the registry.
        name: The repository.
        ask: What is wanted, and by how many connections.
    """

    def __init__(self, connection: Connection, name: RepositoryName, ask: Blob) -> None:
        self._connection, self._digest = connection, ask.digest
        most = min(ask.connections, connection.most)
        self._pieces = BlobRanges(name, BlobRequest(ask.digest, ask.start, ask.size), most)
        self._alone = self._body(self._pieces.first)
        self._threads: ThreadPoolExecutor | None = None
        self._due: deque[_Piece] = deque()
        self._chunks = self._read()

    def _body(self, download: BlobTransfer) -> BlobBody:
        return BlobBody(self._connection, self._digest, download)

    @property
    def encoding(self) -> str:
        """How the bytes came packed; empty where they did not."""
        return self._alone.encoding

    def __enter__(self) -> Self:
        try:
            self._alone.__enter__()
            if self._pieces.begin():
                self._threads = ThreadPoolExecutor(self._pieces.requests, thread_name_prefix="dreg-beside")
                self._send_for(_Piece(self._pieces.first, self._alone))
                self._send_for_more()
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._chunks.close()
        self._close()

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        return next(self._chunks)

    def _read(self) -> Generator[bytes]:
        while self._due:
            while chunk := self._due[0].next_chunk():
                self._pieces.advance(len(chunk))
                self._connection.received(self._digest, len(chunk), self._pieces)
                yield chunk
            if self._due[0].download.end is None:
                self._go_on_alone()
            elif (failure := self._due[0].failure) is not None:
                raise failure
            else:
                self._due.popleft()
                self._pieces.finish_range()
                self._send_for_more()
        if self._threads is None:
            yield from self._alone

    def _go_on_alone(self) -> None:
        """A piece does not fit: what is left is read by one stream."""
        self._close()
        self._alone = self._body(self._pieces.rest())
        self._alone.__enter__()

    def _send_for_more(self) -> None:
        while (download := self._pieces.next()) is not None:
            self._send_for(_Piece(download, self._body(download)))

    def _send_for(self, piece: "_Piece") -> None:
        self._due.append(piece)
        if self._threads is not None:
            self._threads.submit(piece.read)

    def _close(self) -> None:
        """End all pieces, and wait until nothing is read any more, whatever comes in between."""
        try:
            self._end()
        finally:
            self._end()

    def _end(self) -> None:
        for piece in self._due:
            piece.leave()
        if self._threads is not None:
            self._threads.shutdown(cancel_futures=True)
        self._threads = None
        self._due.clear()
        self._alone.__exit__()


class _Piece:
    """A piece on its way.

    Attributes:
        download: Where its reading stands.
        failure: What ended it too early.
    """

    failure: BaseException | None = None

    def __init__(self, download: BlobTransfer, body: BlobBody) -> None:
        self.download, self._body = download, body
        self._block: mmap | None = None
        self._came: SimpleQueue[mmap | None] = SimpleQueue()
        self._leave: Callable[[], None] | None = None
        self._is_left = False

    def read(self) -> None:
        """Read it to its end; what fails is told, not raised."""
        try:
            with waiting() as self._leave:
                if not self._is_left:
                    self._read()
        except BaseException as failure:  # noqa: BLE001 (it is raised where the bytes are due)
            self.failure = failure
        if self._block is not None:
            self._came.put(self._block)
        self._came.put(None)

    def _read(self) -> None:
        with self._body as chunks:
            for chunk in chunks:
                self._take(memoryview(chunk))

    def _take(self, octets: memoryview) -> None:
        """Gather them in a block. It is the system's own: a thread's allocator would keep what others let go of."""
        while octets:
            block = self._block = self._block if self._block is not None else mmap(-1, MEBIBYTE)
            room = MEBIBYTE - block.tell()
            block.write(octets[:room])
            octets = octets[room:]
            if block.tell() == MEBIBYTE:
                self._came.put(block)
                self._block = None

    def next_chunk(self) -> bytes:
        """Its next bytes, once they are there; none at its end."""
        block = self._came.get()
        if block is None:
            return b""
        with block:
            return block[: block.tell()]

    def leave(self) -> None:
        """Nobody waits for it any more."""
        self._is_left = True
        if self._leave is not None:
            self._leave()
