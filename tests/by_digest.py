"""A registry that deletes by digest alone, as distribution 2.8 does, and fails as a test wants it."""

from dataclasses import dataclass, field
from socket import socket

from dreg_client import Digest
from tests.answering import Heard
from tests.http.documents import MANIFEST, OCI_MANIFEST, refusal
from tests.raw_server import answer

Answer = tuple[int, dict[str, str], bytes]


@dataclass
class ByDigest:
    """The manifests of one repository, `acme/web`: first one that has two tags, `1.4` and `latest`.

    Attributes:
        manifests: Each with its media type, by digest.
        tags: Digests, by tag.
        faults: What is answered instead, by a method and what is asked for: `tag`, `absent` or `digest`.
        asked: All requests, as `faults` names them.
        raw: What the two tags name at first.
    """

    raw: bytes = MANIFEST
    media_type: str = OCI_MANIFEST
    manifests: dict[str, tuple[bytes, str]] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    faults: dict[str, Answer | int] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.write("1.4", self.raw, self.media_type)
        self.write("latest", self.raw, self.media_type)

    @property
    def digest(self) -> Digest:
        return Digest.of(self.raw)

    def write(self, name: str, raw: bytes, media_type: str) -> str:
        digest = str(Digest.of(raw))
        self.manifests[digest] = raw, media_type
        if ":" not in name:
            self.tags[name] = digest
        return digest

    def answer(self, method: str, path: str, body: bytes = b"", media_type: str = "") -> Answer:
        name = path.rpartition("/")[2]
        digest = name if ":" in name else self.tags.get(name, "")
        kind = "tag" if ":" not in name else "digest" if digest in self.manifests else "absent"
        self.asked.append(f"{method} {kind}")
        fault = self.faults.get(self.asked[-1])
        if fault is not None:
            return (fault, {}, b"") if isinstance(fault, int) else fault
        if method == "PUT":
            return 201, {"Docker-Content-Digest": self.write(name, body, media_type)}, b""
        if method == "DELETE":
            return self._delete(name)
        if digest not in self.manifests:
            return refusal(404, "MANIFEST_UNKNOWN")
        raw, served = self.manifests[digest]
        headers = {"Content-Type": served, "Content-Length": str(len(raw)), "Docker-Content-Digest": digest}
        return 200, headers, b"" if method == "HEAD" else raw

    def speak(self, head: bytes, connection: socket) -> bool:
        """Answer a request on a socket."""
        request = Heard(head)
        left, body = int(request.headers.get("content-length", 0)), b""
        while len(body) < left:
            body += connection.recv(left - len(body))
        media_type = request.headers.get("content-type", "")
        status, headers, said = self.answer(request.method, request.target, body, media_type)
        lines = [f"{name}: {value}" for name, value in headers.items() if name != "Content-Length"]
        length = int(headers.get("Content-Length", len(said)))
        connection.sendall(answer(said, f"{status} OK", *lines, length=length))
        return True

    def _delete(self, name: str) -> Answer:
        if ":" not in name:
            return refusal(400, "DIGEST_INVALID", "provided digest did not match uploaded content")
        if self.manifests.pop(name, None) is None:
            return refusal(404, "MANIFEST_UNKNOWN")
        self.tags = {tag: digest for tag, digest in self.tags.items() if digest != name}
        return 202, {}, b""
