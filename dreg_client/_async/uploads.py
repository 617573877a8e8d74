"""Upload blobs to a repository (distribution-spec "Pushing Blobs").

`protocol/upload_session.py` decides what to send next.
"""

from contextlib import aclosing, suppress
from dataclasses import replace

from dreg_client import errors
from dreg_client._async._compat import run_shielded, sleep
from dreg_client._async.client import AsyncClient
from dreg_client._async.ports import AsyncContent
from dreg_client._async.transport import AsyncRequestBody
from dreg_client._async.upload_body import AsyncUploadBody
from dreg_client._logging import log
from dreg_client.files.kept_upload import KeptUpload
from dreg_client.models.descriptor import Descriptor
from dreg_client.protocol.events import Sent
from dreg_client.protocol.messages import Request, Response
from dreg_client.protocol.upload_session import Phase, Step, UploadSession
from dreg_client.protocol.uploads import UploadRequests, is_there
from dreg_client.values.digest import Digest
from dreg_client.values.media_type import OCTET_STREAM
from dreg_client.values.reference import RepositoryName


class AsyncBlobUploads:
    """The uploads to one repository.

    Args:
        client: The client of the registry.
        repository: The repository.
    """

    def __init__(self, client: AsyncClient, repository: RepositoryName) -> None:
        self._client, self._repository = client, repository
        self._requests = UploadRequests(client.registry, repository, client.upload_hosts)

    async def exists(self, digest: Digest, size: int | None = None) -> bool:
        """Return whether the registry has a blob. If it does not say so, it has not: the blob is sent again."""
        return is_there(await self._client.send(self._requests.exists(digest)), digest, size)

    async def push(
        self, content: AsyncContent, *, mount_from: RepositoryName | None = None, resume: bool = False
    ) -> Descriptor:
        """Write a blob, unless it exists; return its descriptor."""
        content = await self._held(content)
        opening: Response | None = None
        if content.digest is not None:
            if await self.exists(content.digest, content.size):
                return await self._existing(content.digest, content.size)
            if mount_from is not None:
                opening = await self._mounted(content.digest, mount_from)
                if opening is not None and opening.status == 201:
                    return await self._existing(content.digest, content.size)
        kept = None
        if resume and content.digest is not None:
            kept = KeptUpload(self._client.registry.url, self._repository, content.digest)
        return await _AsyncUpload(self._client, self._requests, content, kept).run(opening)

    async def _existing(self, digest: Digest, size: int | None) -> Descriptor:
        if size is None:
            head = await self._client.send(self._requests.exists(digest))
            size = head.headers.content_length or 0
        return Descriptor(mediaType=OCTET_STREAM, digest=digest, size=size)

    async def _held(self, content: AsyncContent) -> AsyncContent:
        return content

    async def mount(self, digest: Digest, repository: RepositoryName) -> bool:
        """Mount a blob of another repository; return whether the registry has done so."""
        response = await self._mounted(digest, repository)
        if response is not None and response.status == 202:
            with suppress(errors.DregError):
                await self._client.send(self._requests.cancel(self._requests.location_in(response)))
        return response is not None and response.status == 201

    async def _mounted(self, digest: Digest, repository: RepositoryName) -> Response | None:
        """Return the response if the blob was mounted (201), or if an upload was opened instead (202)."""
        between = (repository, self._repository)
        if between in self._client.upload_limits.no_mounts:
            return None
        try:
            response = await self._client.send(self._requests.mount(digest, repository))
        except errors.AuthError as failure:
            log.info("%s: not mounted from %s: %s", self._repository, repository, failure)
            response = Response(401)
        if response.status == 202 or (response.status == 201 and await self.exists(digest)):
            return response
        if 400 <= response.status < 500:
            self._client.upload_limits.no_mounts.add(between)
        return None


class _AsyncUpload:
    """One upload, from its start to its end."""

    def __init__(
        self, client: AsyncClient, requests: UploadRequests, content: AsyncContent, kept: KeptUpload | None
    ) -> None:
        self._client, self._requests, self._content, self._kept = client, requests, content, kept
        what = f"blob {content.digest.short}" if content.digest is not None else "the blob to push"
        self._body = AsyncUploadBody(content, what, self._emit)
        self._session = UploadSession(
            requests, client.upload_limits, client.new_attempts, in_chunks=not self._is_sent_whole(content, kept)
        )

    def _is_sent_whole(self, content: AsyncContent, kept: KeptUpload | None) -> bool:
        return kept is None and content.is_repeatable and content.size is not None

    async def run(self, opening: Response | None) -> Descriptor:
        """Send all bytes; return the descriptor of the blob."""
        session, body = self._session, self._body
        async with body:
            try:
                if opening is not None:
                    session.opened(opening)
                while (step := await self._next_step()) is not None:
                    if delay := await self._taken(step):
                        await sleep(delay)
                # If the blob exists although the response to its PUT was lost, not all bytes were hashed.
                digest = body.known.digest or await body.complete()
            except BaseException:
                await self._abandon()
                raise
        return Descriptor(mediaType=OCTET_STREAM, digest=digest, size=body.known.end)

    async def _next_step(self) -> Step | None:
        """Return the next step; first, hold the next chunk in memory if it can be read only once."""
        session, body = self._session, self._body
        if session.phase is Phase.SEND:
            await body.fill(session.offset, session.chunk)
            if body.known.is_whole and session.offset == body.known.end:
                await body.complete()
        return session.next(body.known)

    async def _taken(self, step: Step) -> float:
        """Send a request; return the seconds to wait before the next one."""
        request = step.request
        async with aclosing(self._body.part(step.start, step.end)) as pieces:
            content = None
            if step.end > step.start:
                content = AsyncRequestBody(pieces, step.end - step.start)
                request = replace(request, content=content)
            try:
                response = await self._client.send(request)
            except errors.TransportError as failure:
                return self._session.failed(failure, is_cut=content is not None and content.left > 0)
        return self._session.answered(response)

    def _emit(self, octets: int, so_far: int) -> None:
        known = self._body.known
        self._client.emit(Sent(known.digest, octets, known.end if known.is_whole else None, so_far))

    async def _abandon(self) -> None:
        """Cancel the upload, as far as this is possible within a few seconds."""
        if self._session.url and self._kept is None:
            await run_shielded(self._cancel, self._requests.cancel(self._session.url))

    async def _cancel(self, request: Request) -> None:
        with suppress(errors.DregError):
            await self._client.send(request)
