"""A registry that takes uploads, and does to them what a test says."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from tests.faultserver import RESET, Heard, Host, Network, Piece, answer, refusal
from tests.hostile.registry import BASE
from tests.hostile.secrets import SIGNED

SMALL = Random(2).randbytes(300_000)  # noqa: S311 (any bytes will do)
"""A blob that is sent in one request."""
MANY = Random(3).randbytes(9 * 1024 * 1024)  # noqa: S311 (as above)
"""A blob that is sent to `ghcr.io` in three chunks, if it can be read only once."""
CHUNK = 4 * 1024 * 1024
GHCR = "ghcr.io"


def digest(raw: bytes) -> str:
    return f"sha256:{hashlib.sha256(raw).hexdigest()}"


@dataclass
class Fault:
    """What happens to one request.

    Attributes:
        pieces: The answer.
        kept: How many bytes of the body arrive; None for all.
        also: What is done before.
    """

    pieces: tuple[Piece, ...]
    kept: int | None = 0
    also: Callable[[], object] = lambda: None


@dataclass
class Uploads:
    """The uploads of a repository.

    Attributes:
        host: The registry.
        blobs: What it has.
        sessions: What has arrived, by the names of uploads.
        faults: What happens to the next requests, by their methods.
        headers: More headers of the answer to POST.
    """

    host: Host
    blobs: dict[str, bytes] = field(default_factory=dict)
    sessions: dict[str, bytearray] = field(default_factory=dict)
    faults: dict[str, list[Fault]] = field(default_factory=dict)
    headers: tuple[str, ...] = ()
    steps: int = 0
    begun: int = 0

    def fails(self, method: str, *pieces: Piece, kept: int | None = 0, times: int = 1) -> "Uploads":
        """The next requests of a method are answered so."""
        self.faults.setdefault(method, []).extend([Fault(pieces, kept)] * times)
        return self

    @property
    def methods(self) -> list[str]:
        """The methods of all requests to the repository's blobs."""
        return [heard.method for heard in self.host.requests if heard.path.startswith(f"{BASE}/blobs")]

    def __call__(self, heard: Heard) -> tuple[Piece, ...]:
        faults = self.faults.get(heard.method)
        if faults:
            fault = faults.pop(0)
            fault.also()
            if (session := self._session(heard)) is not None:
                session += heard.body[: fault.kept]
            return fault.pieces
        return (self._answer(heard),)

    def _session(self, heard: Heard) -> bytearray | None:
        return self.sessions.get(heard.path.rpartition("/")[2])

    def _answer(self, heard: Heard) -> bytes:
        if heard.method == "POST":
            name = f"u{self.begun}"
            self.begun += 1
            self.sessions[name] = bytearray()
            return answer(b"", "202 Accepted", self._location(name), "Range: 0-0", *self.headers)
        if heard.method == "HEAD":
            found = self.blobs.get(heard.path.rpartition("/")[2])
            return answer(b"", 404) if found is None else answer(found, 200)
        name, session = heard.path.rpartition("/")[2], self._session(heard)
        if session is None:
            return refusal("404 Not Found", "BLOB_UPLOAD_UNKNOWN")
        match heard.method:
            case "PATCH":
                start = int((heard.header("content-range") or "0-").partition("-")[0])
                if start != len(session):
                    return refusal("416 Range Not Satisfiable", "BLOB_UPLOAD_INVALID")
                session += heard.body
                return answer(b"", "202 Accepted", self._location(name), *self._range(session))
            case "GET":
                return answer(b"", "204 No Content", self._location(name), *self._range(session))
            case "PUT":
                return self._closed(heard, name, session)
            case _:
                del self.sessions[name]
                return answer(b"", "204 No Content")

    def _closed(self, heard: Heard, name: str, session: bytearray) -> bytes:
        session += heard.body
        raw, (expected,) = bytes(session), heard.query["digest"]
        if digest(raw) != expected:
            return refusal("400 Bad Request", "DIGEST_INVALID")
        self.blobs[expected] = raw
        del self.sessions[name]
        return answer(b"", "201 Created", f"Docker-Content-Digest: {expected}", f"Location: {BASE}/blobs/{expected}")

    def _location(self, name: str) -> str:
        self.steps += 1
        return f"Location: {BASE}/blobs/uploads/{name}?_state={SIGNED}%2F{self.steps}%3D"

    def _range(self, session: bytearray) -> list[str]:
        return [f"Range: 0-{len(session) - 1}"] if session else []


def uploads_at(net: Network, name: str = "registry.test") -> Uploads:
    """A registry that takes uploads to `acme/web`."""
    host = net.host(name)
    uploads = Uploads(host)
    host.on(f"{BASE}/blobs/*", uploads)
    return uploads


__all__ = ["BASE", "CHUNK", "GHCR", "MANY", "RESET", "SMALL", "Uploads", "digest", "uploads_at"]
