"""Upload blobs to a repository (distribution-spec "Pushing Blobs").

`protocol/upload_session.py` decides what to send next.
"""

from contextlib import aclosing, suppress
from dataclasses import replace
from math import inf
from time import monotonic

from dreg_client import errors
from dreg_client._async._compat import run_in_thread, run_shielded, sleep
from dreg_client._async.client import AsyncClient
from dreg_client._async.ports import AsyncContent
from dreg_client._async.transport import AsyncRequestBody
from dreg_client._async.upload_body import AsyncUploadBody
from dreg_client._logging import log
from dreg_client.files.kept_upload import KeptUpload
from dreg_client.models.descriptor import Descriptor
from dreg_client.protocol.events import Sent
from dreg_client.protocol.messages import Request, Response
from dreg_client.protocol.pace import SendingPace
from dreg_client.protocol.turns import Turn
from dreg_client.protocol.upload_session import Phase, Step, UploadSession
from dreg_client.protocol.uploads import CANCEL_WITHIN, UploadRequests, is_there
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

    async def push(
        self, content: AsyncContent, *, mount_from: RepositoryName | None = None, resume: bool = False
    ) -> Descriptor:
        """Write a blob, unless it exists; return its descriptor."""
        if content.digest is None:
            return await _AsyncUpload(self, self._client, self._requests, content, None).run(None)
        if (existing := await self.existing(content.digest, content.size)) is not None:
            return existing
        with Turn((self._client.registry.url, self._repository, content.digest)) as before:
            if not before.done():  # the same blob is being uploaded
                where = f"{self._client.registry.name}/{self._repository}, blob {content.digest.short}"
                await self._client.wait_for_turn(before, "another upload of the same blob took too long", where)
                if (existing := await self.existing(content.digest, content.size)) is not None:
                    return existing
            return await self._push(content, content.digest, mount_from, resume=resume)

    async def _push(
        self, content: AsyncContent, digest: Digest, mount_from: RepositoryName | None, *, resume: bool
    ) -> Descriptor:
        """Mount or upload a blob that does not exist."""
        if not resume:
            return await self._mount_or_upload(content, digest, mount_from, None)
        with KeptUpload(self._client.registry.url, self._repository, digest) as kept:
            await run_in_thread(kept.open)
            return await self._mount_or_upload(content, digest, None if kept.url else mount_from, kept)

    async def _mount_or_upload(
        self, content: AsyncContent, digest: Digest, mount_from: RepositoryName | None, kept: KeptUpload | None
    ) -> Descriptor:
        opening = await self._mounted(digest, mount_from) if mount_from is not None else None
        is_mounted = opening is not None and opening.status == 201
        if is_mounted and (existing := await self.existing(digest, content.size)) is not None:
            return existing
        return await _AsyncUpload(self, self._client, self._requests, content, kept).run(opening)

    async def existing(self, digest: Digest, size: int | None) -> Descriptor | None:
        """Return the descriptor of a blob that the registry has; None if it does not say so, or not how long it is."""
        head = await self._client.send(self._requests.exists(digest))
        size = head.headers.content_length if size is None else size
        if size is None or not is_there(head, digest, size):
            return None
        return Descriptor(mediaType=OCTET_STREAM, digest=digest, size=size)

    async def mount(self, digest: Digest, repository: RepositoryName) -> bool:
        """Mount a blob of another repository; return whether the registry has done so."""
        response = await self._mounted(digest, repository)
        if response is None:
            return False
        if response.status == 201:
            return is_there(await self._client.send(self._requests.exists(digest)), digest, None)
        with suppress(errors.DregError):
            cancel = self._requests.cancel(self._requests.location_in(response))
            await self._client.send(cancel, within=CANCEL_WITHIN)
        return False

    async def _mounted(self, digest: Digest, repository: RepositoryName) -> Response | None:
        """Return the response if it states that the blob was mounted (201), or that an upload was opened (202)."""
        between, limits = (repository, self._repository), self._client.upload_limits
        if between in limits.no_mounts:
            return None
        try:
            response = await self._client.send(self._requests.mount(digest, repository))
        except errors.AuthError as failure:
            log.info("%s: cannot mount from %s: %s", self._repository, repository, failure)
            limits.no_mounts.add(between)
            return None
        if response.status in {201, 202}:
            return response
        if 400 <= response.status < 500:
            limits.no_mounts.add(between)
        return None


class _AsyncUpload:
    """One upload, from its start to its end."""

    def __init__(
        self,
        uploads: AsyncBlobUploads,
        client: AsyncClient,
        requests: UploadRequests,
        content: AsyncContent,
        kept: KeptUpload | None,
    ) -> None:
        self._uploads, self._client, self._requests = uploads, client, requests
        self._content, self._kept = content, kept
        what = f"blob {content.digest.short}" if content.digest is not None else "the blob to push"
        self._body = AsyncUploadBody(content, what, self._emit)
        self._call = client.deadline()
        self._pace = SendingPace(what, self._call, client.budget)
        in_chunks = kept is not None or not content.is_repeatable or content.size is None
        url = self._kept_url()
        self._continues = url != ""
        self._session = UploadSession(requests, client.upload_limits, client.new_attempts, in_chunks=in_chunks, url=url)

    def _kept_url(self) -> str:
        """Return the URL of an earlier upload to go on with; empty if there is none, or it is not safe to use."""
        if self._kept is None or not self._kept.url:
            return ""
        try:
            return self._requests.checked(self._kept.url, "an earlier upload")
        except errors.DregError as failure:
            log.warning("an earlier upload is not continued: %s", failure)
            return ""

    async def run(self, opening: Response | None) -> Descriptor:
        """Send all bytes; return the descriptor of the blob."""
        body = self._body
        async with body:
            try:
                if opening is not None and opening.status == 202:
                    self._session.opened(opening)
                if self._content.digest is None and (existing := await self._existing()) is not None:
                    return existing
                await self._send_all()
                # If the blob exists although the response to its PUT was lost, not all bytes were hashed.
                digest = body.known.digest or await body.complete()
            except BaseException as failure:
                await self._abandon(failure)
                raise
        return Descriptor(mediaType=OCTET_STREAM, digest=digest, size=body.known.end)

    async def _existing(self) -> Descriptor | None:
        """Return the descriptor of a blob whose digest is not given, if it is small, and the registry has it."""
        body = self._body
        await body.fill(0, self._session.chunk)
        await body.hash_held()
        if body.known.digest is None:
            return None
        self._session.in_chunks = False
        return await self._uploads.existing(body.known.digest, body.known.end)

    async def _send_all(self) -> None:
        while (step := await self._next_step()) is not None:
            delay = await self._taken(step)
            if self._kept is not None:
                url = "" if self._session.phase is Phase.DONE else self._session.url
                await run_in_thread(self._kept.save, url)
            if delay:
                await sleep(delay)

    async def _next_step(self) -> Step | None:
        """Return the next step; first, hold the next chunk in memory if it can be read only once."""
        session, body = self._session, self._body
        if session.phase is Phase.SEND:
            await body.fill(session.offset, session.chunk)
            if session.sends_all:
                await body.hash_held()
            if body.known.is_whole and session.offset == body.known.end:
                await body.complete()
        return session.next(body.known)

    async def _taken(self, step: Step) -> float:
        """Send a request; return the seconds to wait before the next one."""
        if step.end == step.start:
            return await self._taken_alone(step)
        async with aclosing(self._body.part(step.start, step.end)) as pieces:
            content = AsyncRequestBody(pieces, step.end - step.start, self._pace)
            self._pace.begin()
            try:
                response = await self._client.send(replace(step.request, content=content), self._call)
            except errors.TransportError as failure:
                if self._body.failure is not None:  # the source failed, not the upload
                    raise self._body.failure from failure.__cause__
                is_cut = content.left > 0
                self._pace.failed(failure, is_cut=is_cut)
                return self._session.failed(failure, is_cut=is_cut)
        self._pace.responded()
        return self._session.answered(response)

    async def _taken_alone(self, step: Step) -> float:
        """Send a request without a body."""
        resumes, began = self._session.phase in {Phase.STATUS, Phase.CHECK}, monotonic()
        within = self._pace.resume_within if resumes else inf
        try:
            response = await self._client.send(step.request, self._call, within)
        except errors.TransportError as failure:
            return self._session.failed(failure, is_cut=False)
        finally:
            if resumes:
                self._pace.add_wait(monotonic() - began, for_body=False)
        delay = self._session.answered(response)
        if self._continues and self._session.phase is Phase.START:
            log.warning("the registry has dropped the earlier upload; starting over")
        self._continues = False
        return delay

    def _emit(self, octets: int, so_far: int) -> None:
        known = self._body.known
        self._client.emit(Sent(known.digest, octets, known.end if known.is_whole else None, so_far))

    async def _abandon(self, failure: BaseException) -> None:
        """Cancel the upload, as far as this is possible within a few seconds, unless another process can go on."""
        if self._kept is not None and self._kept.url:
            if isinstance(failure, errors.DregError):
                resumed = "the same call with resume=True goes on with the upload"
                failure.add_outcome(f"{resumed}, if the registry has kept it")
        elif self._session.url:
            await run_shielded(self._cancel, self._requests.cancel(self._session.url))

    async def _cancel(self, request: Request) -> None:
        with suppress(errors.DregError):
            await self._client.send(request, within=CANCEL_WITHIN)
