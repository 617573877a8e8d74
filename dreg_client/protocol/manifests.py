"""Manifests and indexes: requests, and the meaning of their responses (distribution-spec)."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from dreg_client import errors
from dreg_client._logging import log
from dreg_client.models import rules
from dreg_client.models.kinds import BY_TYPE, MEDIA_TYPES, kind_of
from dreg_client.protocol.content import MANIFEST_IS, RawManifest, verifiable
from dreg_client.protocol.content_encoding import decoded_body
from dreg_client.protocol.error_responses import CHECK_ADDRESS, raise_for_status, raise_unless_content, reported
from dreg_client.protocol.messages import Request, Response
from dreg_client.values import media_type as types
from dreg_client.values.digest import Digest, digest_fault
from dreg_client.values.reference import RepositoryName, Tag
from dreg_client.values.sizes import MAX_DOCUMENT
from dreg_client.values.text_fields import not_a_text

if TYPE_CHECKING:  # importing models takes longer than a request, and a digest needs none
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
"""Statuses of HEAD after which GET may succeed (DLD-21): some registries lack HEAD, or sign URLs for GET only."""
_COMMIT: Final = 90.0
_LIST_TAGS: Final = "list the available tags with .tags()"
_TAGS_ALONE: Final = "a tag without a repository, such as 1; copying to another repository is not supported"
_CHECK_DIGEST: Final = "check the digest and the repository; the manifest may have been deleted"
_DELETES_NOTHING: Final = "enable deletion in the registry; some registries delete by digest only"

_MANIFEST_KINDS: Final = frozenset(BY_TYPE[known] for known in (*_MODERN, *_LEGACY))

TagOrDigest = Tag | Digest


@dataclass(frozen=True, slots=True)
class ManifestHead:
    """The media type, digest and size that a registry states in its response to HEAD; always valid in a descriptor."""

    media_type: str
    digest: Digest
    size: int

    @property
    def descriptor(self) -> "Descriptor":
        """The same facts as a descriptor."""
        from dreg_client.models.descriptor import Descriptor  # noqa: PLC0415 (a digest needs no model)

        return Descriptor(mediaType=self.media_type, digest=self.digest, size=self.size)


def name_of(reference: str) -> TagOrDigest:
    """Parse a tag or a digest; raise InvalidReferenceError or InvalidDigestError if the text is neither."""
    if not isinstance(reference, str):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise not_a_text(reference, MANIFEST_IS)
    return verifiable(Digest(reference)) if ":" in reference else Tag(reference)


def new_tag(text: str) -> Tag:
    """Parse a tag to be written. For a whole reference, as docker accepts it, the error says what to pass instead."""
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
    """Return the request for a manifest ("Pulling manifests"); with `legacy`, schema 1 is also accepted."""
    target, shown = _target(repository, name)
    headers = (_ACCEPT_LEGACY if legacy else _ACCEPT,)
    return Request(method, target, f"repository:{repository}:pull", headers, mirrored=mirrored, what=shown)


def presence_request(method: str, repository: RepositoryName, digest: Digest) -> Request:
    """Return the request that checks whether the registry itself, not a mirror, has a manifest of any type."""
    request = manifest_request(method, repository, digest, mirrored=False)
    return replace(request, headers=(_ACCEPT_ALL,))


def manifest_in(response: Response, request: Request, name: TagOrDigest) -> RawManifest:
    """Return the manifest in a response to GET, verified; its media type is empty if the registry states none."""
    if response.status != 200:
        advice = _CHECK_DIGEST if isinstance(name, Digest) else _LIST_TAGS
        raise_unless_content(response, request, advice if response.status == 404 else "")
    wanted = name if isinstance(name, Digest) else None
    raw = decoded_body(response, wanted, request.limit) if response.headers.get("content-encoding") else response.body
    served = response.headers.get("content-type") or ""
    if served not in types.KNOWN:
        served = types.essence(served)
    if len(response.headers.all("content-type")) > 1:
        _check_types(response)
    found = RawManifest(raw, "" if served in _SAYS_NOTHING else served, wanted, response.where if wanted else "")
    if response.headers.all("docker-content-digest") != (found.digest,):
        _check_claim(response, raw, found.digest)
    if found.media_type not in types.KNOWN:
        _check_media_type(found)
    return found


def _check_claim(response: Response, raw: bytes, digest: Digest) -> None:
    """Check `Docker-Content-Digest`: if it is supported and differs, the response has the wrong bytes (DLD-06)."""
    claim = _claimed_digest(response)
    if claim is None or claim == Digest.of(raw, claim.algorithm):
        return
    from dreg_client.models.signed import payload_of  # noqa: PLC0415 (as rare as schema 1)

    payload = payload_of(raw)  # for signed manifests, registries state the digest without the signatures
    if payload is None or claim != Digest.of(payload, claim.algorithm):
        raise errors.DigestMismatchError(claim, digest, f"{response.where}, according to its Docker-Content-Digest")


def _claimed_digest(response: Response) -> Digest | None:
    """Return the digest that the registry states; None if it states none, or one of an unsupported algorithm."""
    value = response.headers.get("docker-content-digest")
    if value is None:
        return None
    if len({other.strip() for other in response.headers.all("docker-content-digest")} - {""}) > 1:
        raise errors.ProtocolError("the response has several Docker-Content-Digest headers that differ", response.where)
    if digest_fault(value) is not None or not Digest(value).computable:
        log.warning("%s: ignoring Docker-Content-Digest, which is not a supported digest", response.where)
        return None
    return Digest(value)


def _check_types(response: Response) -> None:
    """Reject a response with different media types: parsers would read its body as different kinds of documents."""
    if len({types.essence(value) for value in response.headers.all("content-type")}) > 1:
        raise errors.ProtocolError("the response has several Content-Type headers that differ", response.where)


def _check_media_type(found: RawManifest) -> None:
    if found.media_type in types.PAGES:
        advice = f"a registry does not serve web pages: {CHECK_ADDRESS}"
        raise errors.UnsupportedMediaTypeError(found.media_type, found.digest, advice)
    if found.media_type and not types.is_media_type(found.media_type):
        advice = "the registry served it with an invalid media type"
        raise errors.UnsupportedMediaTypeError(found.media_type[:255], found.digest, advice)


def manifest_head(response: Response, request: Request, name: TagOrDigest) -> ManifestHead | None:
    """Return what a response to HEAD states, unverified; None if it states too little, or GET may succeed (DLD-21)."""
    if response.status in _GET_INSTEAD:
        return None
    if raise_for_status(response, request).status != 200:
        return None
    _check_types(response)
    digest, size = _claimed_digest(response), response.headers.content_length
    served = types.essence(response.headers.get("content-type") or "")
    if digest is None or size is None or served in _SAYS_NOTHING | types.PAGES:
        return None
    if isinstance(name, Digest) and digest != name:
        return None
    # It must fit into a descriptor (MED-01, DSC-03), and a manifest is never empty, whatever its digest.
    if size >= 1 << 63 or not types.is_media_type(served) or size == 0:
        return None
    return ManifestHead(served, digest, size)


def own_media_type(raw: bytes) -> str:
    """Return the media type that the bytes of a manifest state, or else look like."""
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
    """Return whether a body looks like a manifest, as opposed to text, an error or an empty body.

    A JSON object with an unknown media type counts as a manifest of that type, such as that of an artifact.
    """
    tree = _members(found.raw)
    is_of_its_own_type = bool(found.media_type) and found.media_type not in BY_TYPE
    return tree is not None and (kind_of(tree) in _MANIFEST_KINDS or (is_of_its_own_type and "errors" not in tree))


def check_is_manifest(found: RawManifest, response: Response) -> None:
    """Raise ProtocolError if the body of a successful response is not a manifest."""
    if is_manifest(found):
        return
    shown = "; ".join(reported(response).lines) or ("no readable text" if found.raw else "empty")
    reason = f"the body is not a manifest although the status is {response.status}: {shown}"
    raise errors.ProtocolError(f"{reason}; {CHECK_ADDRESS}", response.where)


def check_served(served: RawManifest, descriptor: "Descriptor") -> None:
    """Reject a manifest that is served as a known type other than that of its descriptor (MDL-16)."""
    if served.media_type == descriptor.media_type or served.media_type not in types.KNOWN:
        return
    if types.essence(descriptor.media_type) not in {"", served.media_type}:
        problem = rules.error("GEN-07", "$.mediaType", f"served as {served.media_type}", descriptor.media_type)
        raise errors.MediaTypeMismatchError((problem,), "", served.digest)


def put_request(repository: RepositoryName, name: TagOrDigest, raw: bytes, media_type: str) -> Request:
    """Return the request that writes a manifest, byte for byte ("Pushing Manifests")."""
    target, shown = _target(repository, name)
    scope, headers = f"repository:{repository}:pull,push", (("Content-Type", media_type),)
    what = f"manifest {shown} of type {media_type}"
    return Request("PUT", target, scope, headers, raw, what=what, waits=_COMMIT)


def written_digest(response: Response, request: Request, name: TagOrDigest) -> Digest:
    """Return the digest under which the registry stored the manifest: `name`, else the stated one, else sha256."""
    raise_for_status(response, request)
    claim = _claimed_digest(response)
    if claim is not None and claim != (written := Digest.of(request.body, claim.algorithm)):
        where = f"{response.where}, as stored by the registry"
        raise errors.DigestMismatchError(written, claim, where, as_stored=True)
    return name if isinstance(name, Digest) else claim or Digest.of(request.body)


def delete_request(repository: RepositoryName, name: TagOrDigest) -> Request:
    """Return the request that deletes a tag, or, given a digest, a manifest with all its tags ("Deleting tags")."""
    target, shown = _target(repository, name)
    what = f"{'manifest' if isinstance(name, Digest) else 'tag'} {shown}"
    return Request("DELETE", target, f"repository:{repository}:delete", what=what, absent_is_done=True)


def check_manifest_deletion(response: Response, request: Request) -> None:
    """Check the response to a deletion."""
    raise_for_status(response, request, _DELETES_NOTHING if response.status == 405 else "")
