"""The uploads of a registry that is played."""

from dataclasses import dataclass, field
from hashlib import sha256, sha512

from tests.faultserver import Heard, answer, refusal
from tests.foreign.traits import Traits


@dataclass
class Session:
    """One upload.

    Attributes:
        repository: Where the blob is to be.
        octets: What has arrived.
        state: The query that is valid now.
        first: How many bytes the first chunk had.
        is_short: Whether the last chunk was too short to be followed by another.
    """

    repository: str
    octets: bytearray = field(default_factory=bytearray)
    state: int = 0
    first: int = 0
    is_short: bool = False


@dataclass
class Sessions:
    """All uploads, by name.

    Attributes:
        url: The URL of the host.
        open: Those that go on.
    """

    traits: Traits
    url: str
    open: dict[str, Session] = field(default_factory=dict)
    count: int = 0

    def start(self, repository: str) -> bytes:
        self.count += 1
        name = f"upload-{self.count}"
        self.open[name] = Session(repository)
        shortest = [f"OCI-Chunk-Min-Length: {self.traits.shortest}"] if self.traits.states_shortest else []
        return answer(b"", "202 Accepted", self._location(name), "Range: 0-0", f"Docker-Upload-UUID: {name}", *shortest)

    def take(self, heard: Heard, repository: str, name: str) -> bytes | tuple[str, bytes]:
        """What is said to a request of an upload; the digest and the bytes of the blob that it completes."""
        session = self.open.get(name)
        if session is None or session.repository != repository:
            return refusal("404 Not Found", "BLOB_UPLOAD_UNKNOWN")
        if self.traits.has_state and heard.query.get("_state") != [f"{session.state}="]:
            return refusal("400 Bad Request", "BLOB_UPLOAD_INVALID", "the state is not the last one")
        match heard.method:
            case "PATCH":
                return self._patch(heard, name, session)
            case "PUT":
                return self._put(heard, name, session)
            case "GET":
                return answer(
                    b"",
                    "204 No Content",
                    self._location(name),
                    *self._range(session, session.first, len(session.octets)),
                )
            case _:
                del self.open[name]
                return answer(b"", "204 No Content")

    def _patch(self, heard: Heard, name: str, session: Session) -> bytes:
        traits, before = self.traits, len(session.octets)
        stated = heard.header("content-range")
        start = int(stated.partition("-")[0]) if stated else 0
        if stated and len(heard.body) > traits.longest:
            return refusal("416 Range Not Satisfiable", "REQUESTED_RANGE_NOT_SATISFIABLE", "the body is too large")
        if start != before and not traits.drops_chunks:
            return refusal("416 Range Not Satisfiable", "BLOB_UPLOAD_INVALID")
        if before and (session.is_short or not traits.takes_chunks):
            return refusal("400 Bad Request", "BLOB_UPLOAD_INVALID", "the chunk before was too small")
        if not before or not traits.drops_chunks:
            session.octets += heard.body
        session.first = session.first or len(heard.body)
        session.is_short = len(heard.body) < traits.shortest
        said = self._range(session, session.first, len(heard.body))
        return answer(b"", traits.patch_status, self._location(name), *said)

    def _put(self, heard: Heard, name: str, session: Session) -> bytes | tuple[str, bytes]:
        if heard.body and not session.octets and not self.traits.takes_puts:
            return refusal("404 Not Found", "BLOB_UNKNOWN", "blob unknown to registry")
        raw, (digest,) = bytes(session.octets) + heard.body, heard.query["digest"]
        made = (
            f"sha512:{sha512(raw).hexdigest()}" if digest.startswith("sha512") else f"sha256:{sha256(raw).hexdigest()}"
        )
        if made != digest:
            return refusal("400 Bad Request", "DIGEST_INVALID", "provided digest did not match uploaded content")
        del self.open[name]
        return digest, raw

    def _range(self, session: Session, first: int, last: int) -> list[str]:
        shown = {"all": len(session.octets), "last": last, "first": first, "none": 0}[self.traits.stated]
        return [f"Range: 0-{shown - 1}"] if shown else []

    def _location(self, name: str) -> str:
        session = self.open[name]
        session.state += 1
        path = f"/v2/{session.repository}/blobs/uploads/{name}"
        if self.traits.has_state:
            path += f"?_state={session.state}%3D"
        match self.traits.location:
            case "absolute":
                return f"Location: {self.url}{path}"
            case "http":
                return f"Location: http://{self.url.partition('://')[2]}{path}"
            case "sibling":  # below `/blobs/uploads/` this is the path itself
                return f"Location: {name}"
            case _:
                return f"Location: {path}"
