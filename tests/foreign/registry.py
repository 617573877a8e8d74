"""A registry that is played: it takes and gives content as one of the registries that people use.

It checks what registries check: digests, offsets, the order of blobs, manifests and indexes, media types and tokens.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from hashlib import sha256, sha512
from typing import Any

from tests.faultserver import Heard, Host, Network, answer, refusal, sentence
from tests.foreign.sessions import Sessions
from tests.foreign.traits import PROFILES, Traits

INDEX = "application/vnd.oci.image.index.v1+json"
_PATH = re.compile(r"/v2/(.+)/(manifests|blobs|tags|referrers)/(.+)")
JSON = "Content-Type: application/json"


@dataclass
class Held:
    """What a repository holds.

    Attributes:
        blobs: By digest.
        manifests: The bytes and the media type, by digest.
        tags: The digests, by tag.
        uploaded: When manifests were uploaded, in milliseconds, by digest.
    """

    blobs: dict[str, bytes] = field(default_factory=dict)
    manifests: dict[str, tuple[bytes, str]] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    uploaded: dict[str, int] = field(default_factory=dict)

    def named(self, digest: str) -> list[str]:
        """The manifests that an index names, each with all that it names in turn."""
        raw, _ = self.manifests.get(digest, (b"{}", ""))
        found = [it["digest"] for it in json.loads(raw).get("manifests", ())]
        return [each for child in found for each in (child, *self.named(child))]

    def referrers(self, digest: str) -> list[str]:
        """The manifests whose `subject` this is."""
        documents = {each: json.loads(raw) for each, (raw, _) in self.manifests.items()}
        return [each for each, it in documents.items() if it.get("subject", {}).get("digest") == digest]

    def listed(self, uploaded: type[int | str]) -> dict[str, Any]:
        """All manifests, as Google's registries list them."""
        return {
            digest: {
                "imageSizeBytes": str(len(raw)),
                "layerId": "",
                "mediaType": media_type,
                "tag": sorted(tag for tag, named in self.tags.items() if named == digest),
                "timeCreatedMs": "0",
                "timeUploadedMs": uploaded(self.uploaded.get(digest, 0)),
            }
            for digest, (raw, media_type) in self.manifests.items()
        }


@dataclass
class PlayedRegistry:
    """A registry on a host.

    Attributes:
        host: Where it is.
        traits: What it does in its own way.
        held: What its repositories hold.
        before: A function that is called with each request before it is answered, such as to change what is held, as
            another client does.
    """

    host: Host
    traits: Traits
    held: dict[str, Held] = field(default_factory=dict)
    before: Callable[[Heard], object] = lambda _: None

    def __post_init__(self) -> None:
        self.sessions = Sessions(self.traits, self.host.url)
        self.host.on("/*", self.answer)

    @property
    def name(self) -> str:
        return self.host.authority

    def made(self, method: str, kind: str = "") -> list[Heard]:
        """The requests of a method whose path has a word."""
        return [heard for heard in self.host.requests if heard.method == method and kind in heard.path]

    def answer(self, heard: Heard) -> bytes:
        with self.host.lock:
            self.before(heard)
            return self._answer(heard)

    def _answer(self, heard: Heard) -> bytes:
        if heard.path == "/token":
            return self._token(heard)
        found = _PATH.fullmatch(heard.path)
        repository = found[1] if found else ""
        if (missing := self._unauthorized(heard, repository)) is not None:
            return missing
        if heard.path == "/v2/":
            return answer(b"{}", 200, JSON)
        if heard.path == "/v2/_catalog":
            return answer(sentence({"repositories": sorted(self.held)}), 200, JSON)
        if found is None:
            return answer(b"", 404)
        return self._about(heard, repository, found[2], found[3])

    def _about(self, heard: Heard, repository: str, kind: str, name: str) -> bytes:
        is_new = repository not in self.held
        if is_new and (heard.method not in {"POST", "PUT", "PATCH"} or not self.traits.creates):
            status = self.traits.missing_status if heard.method == "HEAD" and kind == "manifests" else 404
            return refusal(status, "NAME_UNKNOWN", f"The repository with name '{repository}' does not exist")
        held = self.held.setdefault(repository, Held())
        match kind:
            case "manifests":
                return (
                    self._put_manifest(heard, held, name)
                    if heard.method == "PUT"
                    else self._manifest(heard, held, name)
                )
            case "tags":
                return self._tags(heard, repository, held)
            case "referrers":
                return self._referrers(held, name)
            case _:
                return self._blob(heard, repository, held, name)

    def _tags(self, heard: Heard, repository: str, held: Held) -> bytes:
        last, n = heard.query.get("last", [""])[0], int(heard.query.get("n", ["0"])[0])
        size = min(filter(None, (n, self.traits.page)), default=len(held.tags))
        tags = [tag for tag in sorted(held.tags) if tag > last]
        listed = {"manifest": held.listed(self.traits.uploaded), "child": []} if self.traits.lists_manifests else {}
        link = [f'Link: <{heard.path}?last={tags[size - 1]}&n={size}>; rel="next"'] if len(tags) > size else []
        return answer(sentence({"name": repository, "tags": tags[:size], **listed}), 200, JSON, *link)

    # --- blobs

    def _blob(self, heard: Heard, repository: str, held: Held, name: str) -> bytes:
        if name.startswith("uploads/"):
            return self._upload(heard, repository, held, name.removeprefix("uploads/"))
        if heard.method == "HEAD" and not self.traits.has_heads:
            return answer(b"", 405)
        if heard.method == "DELETE":
            return answer(b"", 202 if held.blobs.pop(name, None) is not None else 404)
        if name not in held.blobs:
            return refusal("404 Not Found", "BLOB_UNKNOWN", name)
        stated = [f"Docker-Content-Digest: {name}"] if self.traits.states_digest else []
        return answer(held.blobs[name], 200, "Content-Type: application/octet-stream", *stated)

    def _upload(self, heard: Heard, repository: str, held: Held, name: str) -> bytes:
        if heard.method == "POST":
            return self._mount(heard, repository, held) or self.sessions.start(repository)
        done = self.sessions.take(heard, repository, name)
        return done if isinstance(done, bytes) else self._added(repository, held, *done)

    def _mount(self, heard: Heard, repository: str, held: Held) -> bytes | None:
        if "mount" not in heard.query:
            return None
        (digest,), (source,) = heard.query["mount"], heard.query["from"]
        if self.traits.mounts == "denied" and self.traits.has_tokens == "no":
            return refusal("401 Unauthorized", "UNAUTHORIZED", "access to the requested resource is not authorized")
        other = self.held.get(source, Held())
        named = any(digest.encode() in raw for raw, _ in other.manifests.values())
        if digest not in other.blobs or self.traits.mounts == "no" or (self.traits.mounts == "named" and not named):
            return None
        return self._added(repository, held, digest, other.blobs[digest])

    def _added(self, repository: str, held: Held, digest: str, raw: bytes) -> bytes:
        held.blobs[digest] = raw
        stated = [f"Docker-Content-Digest: {digest}"] if self.traits.states_digest else []
        return answer(b"", "201 Created", f"Location: /v2/{repository}/blobs/{digest}", *stated)

    # --- manifests

    def _manifest(self, heard: Heard, held: Held, name: str) -> bytes:
        digest = held.tags.get(name, name)
        if heard.method == "DELETE" and ":" not in name and self.traits.untag_status != 202:
            return self._deleted(held, name)
        if digest not in held.manifests:
            status = self.traits.missing_status if heard.method == "HEAD" else 404
            return refusal(status, "MANIFEST_UNKNOWN", f"manifest tagged by {name} is not found")
        if heard.method == "DELETE":
            return self._deleted(held, name)
        raw, media_type = held.manifests[digest]
        if media_type not in (heard.header("accept") or ""):
            return refusal("404 Not Found", "MANIFEST_UNKNOWN", f"{media_type} is not accepted")
        stated = [f"Docker-Content-Digest: {digest}"] if self.traits.states_digest else []
        return answer(raw, 200, f"Content-Type: {media_type}", *stated)

    def _deleted(self, held: Held, name: str) -> bytes:
        if ":" not in name:
            if self.traits.untag_status != 202:
                code = "DIGEST_INVALID" if self.traits.untag_status == 400 else "UNSUPPORTED"
                return refusal(self.traits.untag_status, code, "provided digest did not match uploaded content")
            del held.tags[name]
            return answer(b"", "202 Accepted")
        if self.traits.delete_status != 202:
            return refusal(self.traits.delete_status, "UNSUPPORTED", "The operation is unsupported.")
        if self.traits.keeps_tagged and (fault := self._dangling(held, name)):
            return refusal("400 Bad Request", *fault)
        del held.manifests[name]
        held.tags = {tag: digest for tag, digest in held.tags.items() if digest != name}
        return answer(b"", "202 Accepted")

    def _dangling(self, held: Held, name: str) -> tuple[str, str] | None:
        for tag, digest in held.tags.items():
            if digest == name:
                return "GOOGLE_MANIFEST_DANGLING_TAG", f"Manifest is still referenced by tag: {tag}"
        for parent in held.manifests:
            if name in held.named(parent):
                return "GOOGLE_MANIFEST_DANGLING_PARENT_IMAGE", f"Manifest is still referenced by: {parent}"
        return None

    def _put_manifest(self, heard: Heard, held: Held, name: str) -> bytes:
        raw, media_type = heard.body, heard.header("content-type") or ""
        if (fault := self._fault(held, json.loads(raw), media_type)) is not None:
            return fault
        digest = (
            f"sha512:{sha512(raw).hexdigest()}" if name.startswith("sha512:") else f"sha256:{sha256(raw).hexdigest()}"
        )
        if ":" not in name:
            held.tags[name] = digest
        elif name != digest:
            return refusal("400 Bad Request", "DIGEST_INVALID")
        held.manifests[digest] = raw, media_type
        stated = [f"Docker-Content-Digest: {digest}"] if self.traits.states_digest else []
        subject = json.loads(raw).get("subject")
        if subject and self.traits.lists_referrers:
            stated.append(f"OCI-Subject: {subject['digest']}")
        return answer(b"", self.traits.put_status, *stated)

    def _fault(self, held: Held, document: dict[str, Any], media_type: str) -> bytes | None:
        if "docker" in media_type and not self.traits.takes_docker:
            return refusal("415 Unsupported Media Type", "MANIFEST_INVALID", "manifest media type is not supported")
        if self.traits.needs_media_type and "mediaType" not in document:
            return refusal("405 Method Not Allowed", "UNSUPPORTED", "Invalid JSON syntax")
        blobs = [*document.get("layers", ()), *([document["config"]] if "config" in document else [])]
        for named in blobs:
            if named["digest"] not in held.blobs:
                return refusal("404 Not Found", "MANIFEST_BLOB_UNKNOWN", named["digest"])
        for named in document.get("manifests", ()):
            if named["digest"] not in {**held.manifests, **held.blobs}:
                return refusal("404 Not Found", "MANIFEST_UNKNOWN", named["digest"])
        return None

    def _referrers(self, held: Held, subject: str) -> bytes:
        if not self.traits.lists_referrers:
            said = ["Location: https://pages.test/"] if self.traits.referrers_status == 303 else []
            return answer(b"", self.traits.referrers_status, *said)
        entries = []
        for digest in held.referrers(subject):
            raw, media_type = held.manifests[digest]
            document = json.loads(raw)
            kind = document.get("artifactType") or document.get("config", {}).get("mediaType")
            entry = {"mediaType": media_type, "digest": digest, "size": len(raw), "artifactType": kind}
            entries.append({name: value for name, value in entry.items() if value})
        return answer(
            sentence({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}), 200, f"Content-Type: {INDEX}"
        )

    # --- tokens

    def _token(self, heard: Heard) -> bytes:
        scopes = heard.query.get("scope", [])
        scopes = scopes[-1:] if self.traits.has_tokens == "last" else scopes
        return answer(sentence({"token": "for/" + "/".join(scope.replace("/", "~") for scope in scopes)}), 200, JSON)

    def _unauthorized(self, heard: Heard, repository: str) -> bytes | None:
        """The challenge, unless the token is for what the request is about."""
        if self.traits.has_tokens == "no":
            return None
        needed = (
            [f"repository:{repository}:{'pull' if heard.method in {'GET', 'HEAD'} else 'pull,push'}"]
            if repository
            else []
        )
        needed += [f"repository:{source}:pull" for source in heard.query.get("from", [])]
        token = (heard.header("authorization") or "").removeprefix("Bearer for/").replace("~", "/")
        if heard.header("authorization") and all(scope in token for scope in needed):
            return None
        scope = " ".join(needed)
        realm = f'Bearer realm="https://{self.name}/token",service="{self.name}"' + (
            f',scope="{scope}"' if scope else ""
        )
        return refusal("401 Unauthorized", "UNAUTHORIZED", "authentication required", f"WWW-Authenticate: {realm}")


def plain(net: Network, profile: str, **more: Any) -> PlayedRegistry:
    """A registry without TLS."""
    return PlayedRegistry(net.host(f"{profile}.test", scheme="http", port=5000), replace(PROFILES[profile], **more))


def played(net: Network, profile: str, **more: Any) -> PlayedRegistry:
    """A registry with the traits of a profile, and some of its own; GHCR is known by its name."""
    host = net.host("ghcr.io" if profile == "ghcr" else f"{profile}.test")
    registry = PlayedRegistry(host, replace(PROFILES[profile], **more))
    if not registry.traits.creates:
        registry.held |= {"acme/web": Held(), "acme/other": Held()}
    return registry
