"""The bytes of one large blob by several range requests at a time; `BlobRanges` decides what is requested next."""

from types import TracebackType
from typing import Self

from dreg_client._async.client import AsyncClient
from dreg_client.protocol.content import BlobRequest
from dreg_client.values.reference import RepositoryName


class AsyncRangedDownload:
    """The bytes of a blob of a registry in order, by `request.ranges` requests at a time (an `AsyncBlobReader`).

    Args:
        client: The client of the registry.
        repository: The repository of the blob.
        request: Which blob, from where on, and by how many requests at a time.
    """

    def __init__(self, client: AsyncClient, repository: RepositoryName, request: BlobRequest) -> None:
        raise NotImplementedError

    @property
    def encoding(self) -> str:
        """The `Content-Encoding` that the bytes came with; empty if none."""
        raise NotImplementedError

    async def __aenter__(self) -> Self:
        raise NotImplementedError

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        raise NotImplementedError

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        raise NotImplementedError
