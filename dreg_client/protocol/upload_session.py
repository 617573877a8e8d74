"""Decide which request to send next while a blob is uploaded (distribution-spec "Pushing Blobs"), without I/O.

An upload starts with a POST, whose response has the URL for the next request. A blob whose digest is known is sent by
a single PUT. Other blobs are sent by PATCH, as a whole or in chunks, and a PUT without a body ends the upload. After
each doubt, the registry is asked how far it got.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from dreg_client import errors
from dreg_client.protocol.changes import unconfirmed
from dreg_client.protocol.messages import Request, Response
from dreg_client.protocol.retry import Attempts
from dreg_client.protocol.upload_limits import LARGEST_CHUNK, SMALL_CHUNK, UploadLimits
from dreg_client.protocol.uploads import UploadRequests, arrived, check_written, is_there, rejected, shortest_chunk
from dreg_client.values.digest import Digest
from dreg_client.values.sizes import MEBIBYTE

_MOST_SESSIONS: Final = 3
"""The first upload, and two new ones after the registry has lost an earlier one."""
_PROGRESS: Final = MEBIBYTE
"""The bytes that must arrive before the number of retries starts again from zero."""
_NO_CHUNKS: Final = frozenset({405, 501})
_MISPLACED: Final = frozenset({400, 416})
_LOST: Final = frozenset({400, 404, 405, 410, 416, 501})
"""Statuses of GET after which an upload cannot go on; some versions of distribution drop it after an interruption."""


class Phase(Enum):
    """What to do next."""

    START = "start an upload"
    SEND = "send bytes"
    STATUS = "ask how far the upload got"
    CHECK = "check whether the blob exists although its PUT failed"
    CONFIRM = "check whether the blob exists although its PUT had another status than 201"
    DONE = "nothing"


@dataclass(frozen=True, slots=True)
class Step:
    """A request, and the part of the blob that is its body: from `start` up to `end`. No body if both are equal."""

    request: Request
    start: int = 0
    end: int = 0


@dataclass(frozen=True, slots=True)
class Available:
    """What is known of the bytes to upload.

    Attributes:
        first: The first offset that can still be sent. 0 if the bytes can be read again.
        end: How many bytes can be sent now.
        digest: The digest of all bytes; None if it is not known yet.
        is_whole: Whether `end` is the size of the blob.
    """

    first: int
    end: int
    digest: Digest | None
    is_whole: bool


class UploadSession:
    """The upload of one blob, over as many sessions of the registry as it takes.

    Args:
        requests: The requests to the repository.
        limits: What the registry accepts.
        attempts: Returns a new count of attempts.
        in_chunks: Whether to send chunks even if the digest is known, so that another process can go on.
        url: The URL of an earlier upload to go on with; empty if there is none.
    """

    def __init__(
        self,
        requests: UploadRequests,
        limits: UploadLimits,
        attempts: Callable[[], Attempts],
        *,
        in_chunks: bool = False,
        url: str = "",
    ) -> None:
        self._requests, self._limits, self._new_attempts = requests, limits, attempts
        self.in_chunks: bool = in_chunks
        self._attempts = attempts()
        self.url: str = url
        self.offset: int = 0
        self.phase: Phase = Phase.STATUS if url else Phase.START
        self._content = Available(0, 0, None, is_whole=False)
        self._sent = sys.maxsize if url else 0  # an earlier process may have sent any number of bytes
        self._shortest = 0
        self._marked = self._sessions = 0
        self._is_realigned = self._is_authorized_again = self._is_cut = False
        self._step = Step(requests.start())
        self._failure: errors.DregError | None = None
        self._refusal: errors.DregError | None = None  # of the closing PUT

    @property
    def sends_all(self) -> bool:
        """Whether the next part is all of the rest, so that no chunks need to be held in memory."""
        return not (self._limits.takes_chunks and (self.in_chunks or not self._limits.takes_whole))

    @property
    def chunk(self) -> int:
        """The size of the next chunk in bytes."""
        return min(max(self._limits.chunk, self._shortest), LARGEST_CHUNK)

    def next(self, content: Available) -> Step | None:
        """Return the next step; None after the last one."""
        self._content = content
        match self.phase:
            case Phase.START:
                self._sessions += 1
                step = Step(self._requests.start())
            case Phase.STATUS:
                step = Step(self._requests.status(self.url))
            case Phase.CHECK | Phase.CONFIRM if content.digest is not None:
                step = Step(self._requests.exists(content.digest))
            case Phase.DONE:
                return None
            case _:
                step = self._part()
        self._step = step
        return step

    def _part(self) -> Step:
        content, start = self._content, self.offset
        if start > content.end:
            raise self._misplaced(f"the registry states that {start} bytes arrived, but there are {content.end}")
        if self._shortest > LARGEST_CHUNK and not content.is_whole:
            reason = f"the registry accepts only chunks of at least {self._shortest} bytes"
            raise errors.UploadError(f"{reason}, which are not held in memory", "", "write the bytes to a file first")
        is_first = start == 0
        puts_all = is_first and self.sends_all and self._limits.takes_puts
        if content.is_whole and content.digest is not None and (start == content.end or puts_all):
            return Step(self._requests.put(self.url, content.digest, content.end), start, content.end)
        end = content.end if self.sends_all else min(content.end, start + self.chunk)
        # Docker sends all of a blob in one PATCH without a Content-Range, so every registry accepts that.
        is_all = is_first and content.is_whole and end == content.end
        return Step(self._requests.patch(self.url, "" if is_all else f"{start}-{end - 1}"), start, end)

    # --- responses

    def answered(self, response: Response) -> float:
        """Take the response to the last step; return the seconds to wait before the next one."""
        match self.phase:
            case Phase.START:
                return self._started(response)
            case Phase.STATUS:
                return self._stated(response)
            case Phase.CHECK | Phase.CONFIRM:
                return self._checked(response)
            case _ if self._step.request.method == "PUT":
                return self._put(response)
            case _:
                return self._patched(response)

    def failed(self, failure: errors.TransportError, *, is_cut: bool) -> float:
        """Take the error of the last step, which had no response; return the seconds to wait before the next one.

        `is_cut`: not all bytes of the part were sent.
        """
        delay = self._attempts.after_failure(failure)
        is_put = self._step.request.method == "PUT"
        self._failure, self._is_cut = failure, is_cut and is_put
        self._sent = max(self._sent, self._step.end)
        self.phase = Phase.CHECK if is_put else Phase.STATUS
        return delay

    def opened(self, response: Response) -> None:
        """Take a response that opens an upload: the 202 to a POST, which may have tried to mount the blob."""
        self.url = self._requests.location_in(response)
        self.offset = self._sent = self._marked = 0
        self._shortest = shortest_chunk(response)
        if self._shortest > LARGEST_CHUNK:
            self.in_chunks = False
        self.phase = Phase.SEND

    def _started(self, response: Response) -> float:
        if response.status != 202:
            raise rejected(response, self._step.request)
        self.opened(response)
        return 0.0

    def _patched(self, response: Response) -> float:
        status, (start, end) = response.status, (self._step.start, self._step.end)
        self._sent = max(self._sent, end)
        if response.ok:
            self.url = self._requests.location_in(response)
            stated = arrived(response)
            if stated is not None and stated > self._sent:
                raise self._misplaced(f"the registry states that {stated} bytes arrived, but {self._sent} were sent")
            # Some registries state the range of the last chunk, or always the same one: then a 416 decides.
            self._advance(stated if stated is not None and start < stated < end else end)
            return 0.0
        if status == 404:
            self._failure = rejected(response, self._step.request)
            return self._start_again(response)
        if status == 416:
            return self._after_416(response)
        if status == 413 and self._can_shrink(end - start):
            self.phase = Phase.STATUS
            return 0.0
        if status in _NO_CHUNKS or (status == 400 and start > 0):
            return self._without_chunks(response)
        return self._after_error(response, Phase.STATUS)

    def _can_shrink(self, size: int) -> bool:
        """Reduce the size of parts after one was too large; return False if it cannot be reduced."""
        self._limits.shrink()
        if size > SMALL_CHUNK:
            self._limits.takes_whole = False  # a proxy in front of the registry limits the size of requests
        return not self.sends_all and self.chunk < size

    def _without_chunks(self, response: Response) -> float:
        """Send all bytes at once, as for Google Artifact Registry, which accepts one chunk only."""
        self._limits.takes_chunks, self._failure = False, rejected(response, self._step.request)
        return self._start_again(response)

    def _after_416(self, response: Response) -> float:
        if self._is_realigned and not self._limits.shrink():
            raise self._misplaced("the registry does not accept the position of a chunk", response)
        self._is_realigned, self.phase = True, Phase.STATUS
        return 0.0

    def _put(self, response: Response) -> float:
        digest = self._content.digest
        self._sent = max(self._sent, self._step.end)
        if response.ok and digest is not None:
            check_written(response, digest)
            self.phase = Phase.DONE
            if response.status != 201:
                self.phase, self._failure = Phase.CONFIRM, unconfirmed(response, self._step.request, "no blob")
            return 0.0
        if response.status == 404:
            self._failure = rejected(response, self._step.request)
            if self._limits.takes_chunks and self._step.start < self._step.end:
                # Artifactory may not find a blob that is sent in the PUT; Docker sends each one by PATCH.
                self._limits.takes_puts = False
            return self._start_again(response)
        if response.status == 413 and self._can_shrink(self._step.end - self._step.start):
            return self._start_again(response)
        if response.status in _MISPLACED and not self._is_realigned and self._step.start == self._step.end > 0:
            self._is_realigned, self.phase = True, Phase.STATUS
            self._refusal = rejected(response, self._step.request)
            return 0.0
        return self._after_error(response, Phase.CHECK)

    def _after_error(self, response: Response, phase: Phase) -> float:
        """Go on with `phase` if a retry may help; otherwise raise the error."""
        self._failure = rejected(response, self._step.request)
        if response.status == 401 and not self._is_authorized_again:
            # The client has a new token now. What has arrived of the body is unknown.
            self._is_authorized_again, self.phase = True, Phase.STATUS
            return 0.0
        delay = self._attempts.after_response(self._step.request.method, response)
        if delay is None:
            raise self._failure
        self.phase = phase
        return delay

    def _stated(self, response: Response) -> float:
        if response.status in _LOST:
            return self._start_again(response)
        if not response.ok:
            raise rejected(response, self._step.request)
        if response.headers.get("location"):
            self.url = self._requests.location_in(response)
        stated = arrived(response) or 0
        # Without any bytes, distribution states 0-0, too.
        return self._go_on(response, 0 if stated == 1 and self.offset == 0 else stated)

    def _go_on(self, response: Response, stated: int) -> float:
        """Go on after the bytes that have arrived according to the registry, if this is possible."""
        content = self._content
        known = content.end if content.is_whole else self._sent
        if stated > min(self._sent, known):
            raise self._misplaced(f"the registry states that {stated} bytes arrived, which is more than were sent")
        if stated < max(self.offset, content.first):
            if self._refusal is not None:  # ECR accepts every chunk, but may lose the bytes of all but the first
                self._limits.takes_chunks, self._failure = False, self._refusal
            return self._start_again(response)
        if self._refusal is not None and stated == content.end:
            if self._sessions:
                raise self._refusal  # the PUT was rejected although all bytes had arrived
            return self._start_again(response)  # an earlier process has sent other bytes
        self._refusal = None
        self._advance(stated)
        return 0.0

    def _advance(self, offset: int) -> None:
        self.offset, self.phase = offset, Phase.SEND
        if offset - self._marked >= _PROGRESS:
            self._marked, self._attempts, self._failure = offset, self._new_attempts(), None
            self._is_realigned = self._is_authorized_again = False

    def _checked(self, response: Response) -> float:
        digest, content = self._content.digest, self._content
        if digest is not None and is_there(response, digest, content.end if content.is_whole else None):
            self.phase = Phase.DONE
            return 0.0
        if self.phase is Phase.CONFIRM and self._failure is not None:
            raise self._failure
        if self._is_cut:  # what has arrived can be kept
            self._is_cut, self.phase = False, Phase.STATUS
            return 0.0
        return self._start_again(response)

    def _start_again(self, response: Response) -> float:
        """Start a new upload; raise the error that led here if there were too many, or the bytes are gone."""
        failure = self._failure or rejected(response, self._step.request)
        if self._sessions >= _MOST_SESSIONS:
            raise failure
        if self._content.first > 0:
            failure.add_outcome("the upload cannot start again, because its source can be read only once")
            raise failure
        self.phase, self.url, self.offset, self._sent = Phase.START, "", 0, 0
        self._is_realigned, self._refusal = False, None
        return 0.0

    def _misplaced(self, what: str, response: Response | None = None) -> errors.UploadOffsetError:
        request = replace(self._step.request)
        if response is None:
            return errors.UploadOffsetError(f"{what}: {request.what}")
        failure = rejected(response, request)
        said = failure.said if isinstance(failure, errors.RegistryError) else ()
        return errors.UploadOffsetError(f"{what}: {request.what}", response.registry, "", response.status, said)
