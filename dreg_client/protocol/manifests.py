"""Manifests and indexes: requests and what their responses mean (distribution-spec)."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from dreg_client import errors
from dreg_client._logging import log
from dreg_client.models import rules
from dreg_client.models.kinds import BY_TYPE, MEDIA_TYPES, kind_of
from dreg_client.protocol.content import MANIFEST_IS, RawManifest, verifiable
from dreg_client.protocol.content_encoding import decoded_body
from dreg_client.protocol.error_responses import raise_for_status, reported
from dreg_client.protocol.messages import Request, Response
from dreg_client.values import media_type as types
from dreg_client.values.digest import Digest, digest_fault
from dreg_client.values.reference import RepositoryName, Tag
from dreg_client.values.sizes import MAX_DOCUMENT
from dreg_client.values.text_fields import not_a_text

if TYPE_CHECKING:  # building models takes longer than a request, and a digest needs none
    from dreg_client.models.descriptor import Descriptor

_MODERN: Final = (types.OCI_INDEX, types.OCI_MANIFEST, types.DOCKER_MANIFEST_LIST, types.DOCKER_MANIFEST)
_LEGACY: Final = (types.DOCKER_SCHEMA1_SIGNED, types.DOCKER_SCHEMA1)
_ACCEPT: Final = ("Accept", ", ".join(_MODERN))
_ACCEPT_LEGACY: Final = ("Accept", ", ".join((*_MODERN, *(f"{old};q=0.5" for old in _LEGACY))))
_ACCEPT_ALL: Final = ("Accept", f"{_ACCEPT_LEGACY[1]}, */*;q=0.1")
_SAYS_NOTHING: Final = frozenset(
    {"", "application/json", "application/octet-stream", "binary/octet-stream", "text/plain"}  # S3 says the fourth
)
_GET_INSTEAD: Final = frozenset({400, 403, 404, 405, 406, 410, 500, 501})
"""Statuses of HEAD after which GET may succeed (DLD-21): some registries offer no HEAD, or sign URLs for GET alone."""
CHECK_ADDRESS: Final = "check the address, and what stands between"
_COMMIT: Final = 300.0
_LIST_TAGS: Final = "list the tags there are: dreg tags, or .tags()"
_TAGS_ALONE: Final = "a name alone; give tags alone, such as 1: this version copies nothing to another repository"
_CHECK_DIGEST: Final = "check the digest and the repository; the manifest may have been deleted"
_DELETES_NOTHING: Final = "deletion must be enabled in the registry; some delete by digest alone"

_MANIFEST_KINDS: Final = frozenset(BY_TYPE[known] for known in (*_MODERN, *_LEGACY))

TagOrDigest = Tag | Digest


@dataclass(frozen=True, slots=True)
class ManifestHead:
    """What a registry states of a manifest in its response to HEAD. A valid descriptor can hold it."""

    media_type: str
    digest: Digest
    size: int

    @property
    def descriptor(self) -> "Descriptor":
        """The same as a descriptor."""
        from dreg_client.models.descriptor import Descriptor  # noqa: PLC0415 (a digest needs no model)

        return Descriptor(mediaType=self.media_type, digest=self.digest, size=self.size)


def name_of(reference: str) -> TagOrDigest:
    """Return the tag or digest that a text is; raise InvalidReferenceError or a digest's error if it is neither."""
    if not isinstance(reference, str):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise not_a_text(reference, MANIFEST_IS)
    return verifiable(Digest(reference)) if ":" in reference else Tag(reference)


def new_tag(text: str) -> Tag:
    """Return a tag to be written; a whole reference, as docker takes it, is an error that says what to give."""
    try:
        return Tag(text)
    except errors.InvalidReferenceError as failure:
        if not {"/", ":"} & {*text}:
            raise
        raise errors.InvalidReferenceError(failure.text, failure.part, _TAGS_ALONE) from None


def _target(repository: RepositoryName, name: TagOrDigest) -> tuple[str, str]:
    """Return the path of a manifest, and its name for messages."""
    shown = f"{repository}{'@' if isinstance(name, Digest) else ':'}{name}"
    return f"/v2/{repository}/manifests/{quote(name, safe=':+')}", shown


def manifest_request(
    method: str, repository: RepositoryName, name: TagOrDigest, *, legacy: bool = False, mirrored: bool = True
) -> Request:
    """Return the request for a manifest ("Pulling manifests"); with `legacy`, schema 1 is accepted, too."""
    target, shown = _target(repository, name)
    headers = (_ACCEPT_LEGACY if legacy else _ACCEPT,)
    return Request(method, target, f"repository:{repository}:pull", headers, mirrored=mirrored, what=shown)


def presence_request(method: str, repository: RepositoryName, digest: Digest) -> Request:
    """Return the request that asks the registry itself whether it has a manifest, of whichever type."""
    request = manifest_request(method, repository, digest, mirrored=False)
    return replace(request, headers=(_ACCEPT_ALL,))


def manifest_in(response: Response, request: Request, name: TagOrDigest) -> RawManifest:
    """Return the manifest in a response to GET, verified; its media type is empty if the registry states none."""
    if response.status != 200:
        raise_for_status(response, request, _CHECK_DIGEST if isinstance(name, Digest) else _LIST_TAGS)
    wanted = name if isinstance(name, Digest) else None
    raw = decoded_body(response, wanted, request.limit) if response.headers.get("content-encoding") else response.body
    served = response.headers.get("content-type") or ""
    if served not in types.KNOWN:
        served = types.essence(served)
    found = RawManifest(raw, "" if served in _SAYS_NOTHING else served, wanted, response.where if wanted else "")
    if response.headers.all("docker-content-digest") != (found.digest,):
        _check_claim(response, raw, found.digest)
    if found.media_type not in types.KNOWN:
        _check_media_type(found)
    return found


def _check_claim(response: Response, raw: bytes, digest: Digest) -> None:
    """Check `Docker-Content-Digest`: if it can be computed and differs, the bytes are not those meant (DLD-06)."""
    claim = _claimed_digest(response)
    if claim is None or claim == Digest.of(raw, claim.algorithm):
        return
    from dreg_client.models.signed import payload_of  # noqa: PLC0415 (as rare as schema 1)

    payload = payload_of(raw)  # registries state the digest that a manifest had before it was signed
    if payload is None or claim != Digest.of(payload, claim.algorithm):
        raise errors.DigestMismatchError(claim, digest, f"{response.where}, by its Docker-Content-Digest")


def _claimed_digest(response: Response) -> Digest | None:
    """Return the digest that the registry states; None if it states none, or one that cannot be computed."""
    value = response.headers.get("docker-content-digest")
    if value is None:
        return None
    if len({other.strip() for other in response.headers.all("docker-content-digest")} - {""}) > 1:
        raise errors.ProtocolError("has several Docker-Content-Digest, which differ", response.where)
    if digest_fault(value) is not None or not Digest(value).computable:
        log.warning("%s: Docker-Content-Digest is no digest that can be computed; it is passed over", response.where)
        return None
    return Digest(value)


def _check_media_type(found: RawManifest) -> None:
    if found.media_type in types.PAGES:
        advice = f"a registry would not serve a page for browsers: {CHECK_ADDRESS}"
        raise errors.UnsupportedMediaTypeError(found.media_type, found.digest, advice)
    if found.media_type and not types.is_media_type(found.media_type):
        advice = "it was served as what is no media type"
        raise errors.UnsupportedMediaTypeError(found.media_type[:255], found.digest, advice)


def manifest_head(response: Response, request: Request, name: TagOrDigest) -> ManifestHead | None:
    """Return what a response to HEAD states, unproven; None if that is too little, or GET may succeed (DLD-21)."""
    if response.status in _GET_INSTEAD:
        return None
    raise_for_status(response, request)
    digest, size = _claimed_digest(response), response.headers.content_length
    served = types.essence(response.headers.get("content-type") or "")
    if digest is None or size is None or served in _SAYS_NOTHING | types.PAGES:
        return None
    if isinstance(name, Digest) and digest != name:
        return None
    # A descriptor must be able to hold it (MED-01, DSC-03); and no manifest is empty, whatever its digest.
    if size >= 1 << 63 or not types.is_media_type(served) or size == 0:
        return None
    return ManifestHead(served, digest, size)


def own_media_type(raw: bytes) -> str:
    """Return the media type that the bytes of a manifest state or look like."""
    tree = _members(raw)
    kind = kind_of(tree) if tree is not None else None
    return MEDIA_TYPES[kind][0] if kind else "application/octet-stream"


def _members(raw: bytes) -> dict[str, object] | None:
    """Return the members of a JSON object, as far as they can be read; None if the bytes are not one."""
    from dreg_client.models.json_text import AmbiguousTextError, read_object  # noqa: PLC0415 (few responses need it)

    try:
        return read_object(raw) if len(raw) <= MAX_DOCUMENT else None
    except AmbiguousTextError as failure:
        return failure.tree


def is_manifest(found: RawManifest) -> bool:
    """Return whether a body looks like a manifest, not like a text, an error or nothing.

    An object of a media type that is not known here is taken for a manifest of that type, such as an artifact's.
    """
    tree = _members(found.raw)
    is_of_its_own_type = bool(found.media_type) and found.media_type not in BY_TYPE
    return tree is not None and (kind_of(tree) in _MANIFEST_KINDS or (is_of_its_own_type and "errors" not in tree))


def check_is_manifest(found: RawManifest, response: Response) -> None:
    """Raise ProtocolError if the body of a successful response is not a manifest."""
    if is_manifest(found):
        return
    said = "; ".join(reported(response).lines) or ("bytes that are not text" if found.raw else "nothing")
    reason = f"the body is not a manifest, though the status is {response.status}: {said}"
    raise errors.ProtocolError(f"{reason}; {CHECK_ADDRESS}", response.where)


def check_served(served: RawManifest, descriptor: "Descriptor") -> None:
    """Reject a manifest that is served as another known type than its descriptor names (MDL-16)."""
    if served.media_type == descriptor.media_type or served.media_type not in types.KNOWN:
        return
    if types.essence(descriptor.media_type) not in {"", served.media_type}:
        problem = rules.error("GEN-07", "$.mediaType", f"served as {served.media_type}", descriptor.media_type)
        raise errors.MediaTypeMismatchError((problem,), "", served.digest)


def put_request(repository: RepositoryName, name: TagOrDigest, raw: bytes, media_type: str) -> Request:
    """Return the request that writes a manifest, byte for byte ("Pushing Manifests")."""
    target, shown = _target(repository, name)
    scope, headers = f"repository:{repository}:pull,push", (("Content-Type", media_type),)
    what = f"manifest {shown}, of type {media_type}"
    return Request("PUT", target, scope, headers, raw, what=what, waits=_COMMIT)


def written_digest(response: Response, request: Request, name: TagOrDigest) -> Digest:
    """Return the digest by which the registry has the manifest: `name`, else what it states, else the sha256 digest."""
    raise_for_status(response, request)
    claim = _claimed_digest(response)
    if claim is not None and claim != (written := Digest.of(request.body, claim.algorithm)):
        raise errors.DigestMismatchError(written, claim, f"{response.where}, as the registry took it")
    return name if isinstance(name, Digest) else claim or Digest.of(request.body)


def delete_request(repository: RepositoryName, name: TagOrDigest) -> Request:
    """Return the request that deletes a tag, or by digest a manifest with all its tags ("Deleting tags")."""
    target, shown = _target(repository, name)
    what = f"{'manifest' if isinstance(name, Digest) else 'tag'} {shown}"
    return Request("DELETE", target, f"repository:{repository}:delete", what=what, absent_is_done=True)


def check_manifest_deletion(response: Response, request: Request) -> None:
    """Check the response to a deletion."""
    raise_for_status(response, request, _DELETES_NOTHING if response.status == 405 else "")
