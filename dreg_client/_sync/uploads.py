# Generated from dreg_client/_async/uploads.py by tools/generate_sync.py. Do not edit.
"""Upload blobs to a repository (distribution-spec "Pushing Blobs").

`protocol/upload_session.py` decides what to send next.
"""

from contextlib import closing, suppress
from dataclasses import replace
from math import inf
from time import monotonic

from dreg_client import errors
from dreg_client._logging import log
from dreg_client._sync._compat import run_in_thread, run_shielded, sleep
from dreg_client._sync.client import Client
from dreg_client._sync.ports import Content
from dreg_client._sync.transport import RequestBody
from dreg_client._sync.upload_body import UploadBody
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


class BlobUploads:
    """The uploads to one repository.

    Args:
        client: The client of the registry.
        repository: The repository.
    """

    def __init__(self, client: Client, repository: RepositoryName) -> None:
        self._client, self._repository = client, repository
        self._requests = UploadRequests(client.registry, repository, client.upload_hosts)

    def push(self, content: Content, *, mount_from: RepositoryName | None = None, resume: bool = False) -> Descriptor:
        """Write a blob, unless it exists; return its descriptor."""
        if content.digest is None:
            return _Upload(self, self._client, self._requests, content, None).run(None)
        if (existing := self.existing(content.digest, content.size)) is not None:
            return existing
        with Turn((self._client.registry.url, self._repository, content.digest)) as before:
            if not before.done():  # the same blob is being uploaded
                where = f"{self._client.registry.name}/{self._repository}, blob {content.digest.short}"
                self._client.wait_for_turn(before, "another upload of the same blob took too long", where)
                if (existing := self.existing(content.digest, content.size)) is not None:
                    return existing
            return self._push(content, content.digest, mount_from, resume=resume)

    def _push(self, content: Content, digest: Digest, mount_from: RepositoryName | None, *, resume: bool) -> Descriptor:
        """Mount or upload a blob that does not exist."""
        if not resume:
            return self._mount_or_upload(content, digest, mount_from, None)
        with KeptUpload(self._client.registry.url, self._repository, digest) as kept:
            run_in_thread(kept.open)
            return self._mount_or_upload(content, digest, None if kept.url else mount_from, kept)

    def _mount_or_upload(
        self, content: Content, digest: Digest, mount_from: RepositoryName | None, kept: KeptUpload | None
    ) -> Descriptor:
        opening = self._mounted(digest, mount_from) if mount_from is not None else None
        is_mounted = opening is not None and opening.status == 201
        if is_mounted and (existing := self.existing(digest, content.size)) is not None:
            return existing
        return _Upload(self, self._client, self._requests, content, kept).run(opening)

    def existing(self, digest: Digest, size: int | None) -> Descriptor | None:
        """Return the descriptor of a blob that the registry has; None if it does not say so, or not how long it is."""
        head = self._client.send(self._requests.exists(digest))
        size = head.headers.content_length if size is None else size
        if size is None or not is_there(head, digest, size):
            return None
        return Descriptor(mediaType=OCTET_STREAM, digest=digest, size=size)

    def mount(self, digest: Digest, repository: RepositoryName) -> bool:
        """Mount a blob of another repository; return whether the registry has done so."""
        response = self._mounted(digest, repository)
        if response is None:
            return False
        if response.status == 201:
            return is_there(self._client.send(self._requests.exists(digest)), digest, None)
        with suppress(errors.DregError):
            cancel = self._requests.cancel(self._requests.location_in(response))
            self._client.send(cancel, within=CANCEL_WITHIN)
        return False

    def _mounted(self, digest: Digest, repository: RepositoryName) -> Response | None:
        """Return the response if it states that the blob was mounted (201), or that an upload was opened (202)."""
        between, limits = (repository, self._repository), self._client.upload_limits
        if between in limits.no_mounts:
            return None
        try:
            response = self._client.send(self._requests.mount(digest, repository))
        except errors.AuthError as failure:
            log.info("%s: cannot mount from %s: %s", self._repository, repository, failure)
            limits.no_mounts.add(between)
            return None
        if response.status in {201, 202}:
            return response
        if 400 <= response.status < 500:
            limits.no_mounts.add(between)
        return None


class _Upload:
    """One upload, from its start to its end."""

    def __init__(
        self,
        uploads: BlobUploads,
        client: Client,
        requests: UploadRequests,
        content: Content,
        kept: KeptUpload | None,
    ) -> None:
        self._uploads, self._client, self._requests = uploads, client, requests
        self._content, self._kept = content, kept
        what = f"blob {content.digest.short}" if content.digest is not None else "the blob to push"
        self._body = UploadBody(content, what, self._emit)
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

    def run(self, opening: Response | None) -> Descriptor:
        """Send all bytes; return the descriptor of the blob."""
        body = self._body
        with body:
            try:
                if opening is not None and opening.status == 202:
                    self._session.opened(opening)
                if self._content.digest is None and (existing := self._existing()) is not None:
                    return existing
                self._send_all()
                # If the blob exists although the response to its PUT was lost, not all bytes were hashed.
                digest = body.known.digest or body.complete()
            except BaseException as failure:
                self._abandon(failure)
                raise
        return Descriptor(mediaType=OCTET_STREAM, digest=digest, size=body.known.end)

    def _existing(self) -> Descriptor | None:
        """Return the descriptor of a blob whose digest is not given, if it is small, and the registry has it."""
        body = self._body
        body.fill(0, self._session.chunk)
        body.hash_held()
        if body.known.digest is None:
            return None
        self._session.in_chunks = False
        return self._uploads.existing(body.known.digest, body.known.end)

    def _send_all(self) -> None:
        while (step := self._next_step()) is not None:
            delay = self._taken(step)
            if self._kept is not None:
                url = "" if self._session.phase is Phase.DONE else self._session.url
                run_in_thread(self._kept.save, url)
            if delay:
                sleep(delay)

    def _next_step(self) -> Step | None:
        """Return the next step; first, hold the next chunk in memory if it can be read only once."""
        session, body = self._session, self._body
        if session.phase is Phase.SEND:
            body.fill(session.offset, session.chunk)
            if session.sends_all:
                body.hash_held()
            if body.known.is_whole and session.offset == body.known.end:
                body.complete()
        return session.next(body.known)

    def _taken(self, step: Step) -> float:
        """Send a request; return the seconds to wait before the next one."""
        if step.end == step.start:
            return self._taken_alone(step)
        with closing(self._body.part(step.start, step.end)) as pieces:
            content = RequestBody(pieces, step.end - step.start, self._pace)
            self._pace.begin()
            try:
                response = self._client.send(replace(step.request, content=content), self._call)
            except errors.TransportError as failure:
                if self._body.failure is not None:  # the source failed, not the upload
                    raise self._body.failure from failure.__cause__
                is_cut = content.left > 0
                self._pace.failed(failure, is_cut=is_cut)
                return self._session.failed(failure, is_cut=is_cut)
        self._pace.responded()
        return self._session.answered(response)

    def _taken_alone(self, step: Step) -> float:
        """Send a request without a body."""
        resumes, began = self._session.phase in {Phase.STATUS, Phase.CHECK}, monotonic()
        within = self._pace.resume_within if resumes else inf
        try:
            response = self._client.send(step.request, self._call, within)
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

    def _abandon(self, failure: BaseException) -> None:
        """Cancel the upload, as far as this is possible within a few seconds, unless another process can go on."""
        if self._kept is not None and self._kept.url:
            if isinstance(failure, errors.DregError):
                resumed = "the same call with resume=True goes on with the upload"
                failure.add_outcome(f"{resumed}, if the registry has kept it")
        elif self._session.url:
            run_shielded(self._cancel, self._requests.cancel(self._session.url))

    def _cancel(self, request: Request) -> None:
        with suppress(errors.DregError):
            self._client.send(request, within=CANCEL_WITHIN)
