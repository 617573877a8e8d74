"""One client of one registry: what is known of it, and who sends. Shared by the registry and its repositories."""

from collections.abc import Generator, Iterator
from time import monotonic
from typing import Self, TypeVar

from dreg_client import errors
from dreg_client.asks import Blob
from dreg_client.conversation.conversation import conversation_with
from dreg_client.protocol.blob_reader import BlobTransfer
from dreg_client.protocol.content import BlobRequest
from dreg_client.protocol.events import Received
from dreg_client.protocol.manifests import Capabilities
from dreg_client.protocol.messages import Exchange, Request, Response
from dreg_client.protocol.options import Options
from dreg_client.protocol.plan import run
from dreg_client.protocol.ranges import BlobRanges
from dreg_client.protocol.registry_url import RegistryURL
from dreg_client.transport.sending import Body, Sender
from dreg_client.values.digest import Digest
from dreg_client.values.reference import RepositoryName

T = TypeVar("T")


class Connection:
    """One client of one registry, for any number of threads.

    Args:
        base: Where the registry is.
        options: How it is talked to.

    Attributes:
        base: Where the registry is.
        habits: What it was found to do.
        most: The most connections to one host.
    """

    base: RegistryURL
    habits: Capabilities
    most: int

    def __init__(self, base: RegistryURL, options: Options) -> None:
        self.base, self.habits, self.most = base, Capabilities(), options.connections
        self._conversation = conversation_with(base, options)
        self._sender = Sender(options, (base, *self._conversation.mirrors))

    def carry(self, plan: Exchange[T]) -> T:
        """Carry out a plan of requests."""
        return run(plan, self.ask)

    def ask(self, request: Request) -> Response:
        """Ask one thing."""
        return run(self._conversation.ask(request), self._sender.answer)

    def blob(self, name: RepositoryName, ask: Blob) -> "BlobBody":
        """The bytes of a blob."""
        request = BlobRequest(ask.digest, ask.start, ask.size, fresh=ask.fresh, decode=ask.decode)
        download = BlobTransfer(name, request)
        return BlobBody(self, ask.digest, download)

    def received(self, digest: Digest, octets: int, reading: BlobTransfer | BlobRanges) -> None:
        """Tell that bytes came."""
        self._sender.tell(Received(digest, octets, reading.total, reading.offset))

    def close(self) -> None:
        """Close all connections."""
        self._sender.close()


class BlobBody:
    """The bytes of a blob as they come, through interruptions; a context manager, and an iterator within it."""

    def __init__(self, connection: Connection, digest: Digest, download: BlobTransfer) -> None:
        self._connection, self._digest, self._download = connection, digest, download
        self._body: Body | None = None
        self._left = False
        self._chunks = self._read()

    @property
    def encoding(self) -> str:
        """How the bytes came packed; empty where they did not."""
        return self._download.encoding

    def __enter__(self) -> Self:
        if self._body is None:
            self._begin()
        return self

    def __exit__(self, *_: object) -> None:
        self._left = True
        self._chunks.close()
        self._close()

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if self._left and not self._download.done:
            raise errors.ClosedError(f"the stream of blob {self._digest.short}")
        return next(self._chunks)

    def _begin(self) -> None:
        """Ask until there is a body to be read, or nothing is left to read."""
        while not self._download.done:
            response = self._connection.ask(self._download.request())
            self._body = response.stream if isinstance(response.stream, Body) else None
            try:
                if self._download.begin(response):
                    return
            except BaseException:
                self._close()
                raise
            self._close()

    def _read(self) -> Generator[bytes]:
        while not self._download.done:
            try:
                yield from self._body_chunks()
                self._download.ended()
            except errors.TransportError as failure:
                self._close()
                self._download.interrupted(failure)
                self._begin()
        self._close()

    def _body_chunks(self) -> Iterator[bytes]:
        download, since = self._download, monotonic()
        for chunk in self._body or ():
            wanted = download.feed(chunk, monotonic() - since)
            if not download.exact:
                self._connection.received(self._digest, len(wanted), download)
            if wanted:
                yield wanted
            since = monotonic()

    def _close(self) -> None:
        if self._body is not None:
            self._body.close()
            self._body = None
