"""Manifests and indexes: whether they are there, what they are, writing and deleting (distribution-spec)."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from dreg_client import errors
from dreg_client._logging import log
from dreg_client.models import rules
from dreg_client.protocol.content_encoding import plain
from dreg_client.protocol.error_responses import accept, refuse
from dreg_client.protocol.messages import MAX_ANSWER, Exchange, Request, Response
from dreg_client.values import media_type as types
from dreg_client.values.digest import Digest, digest_fault
from dreg_client.values.reference import RepositoryName, Tag

if TYPE_CHECKING:
    from dreg_client.models.descriptor import Descriptor

_MODERN: Final = (types.OCI_INDEX, types.OCI_MANIFEST, types.DOCKER_MANIFEST_LIST, types.DOCKER_MANIFEST)
_LEGACY: Final = (types.DOCKER_SCHEMA1_SIGNED, types.DOCKER_SCHEMA1)
_ACCEPT: Final = ("Accept", ", ".join(_MODERN))
_ACCEPT_LEGACY: Final = ("Accept", ", ".join((*_MODERN, *(f"{old};q=0.5" for old in _LEGACY))))
_SAYS_NOTHING: Final = frozenset(
    {"", "application/json", "application/octet-stream", "binary/octet-stream", "text/plain"}  # S3 says the fourth
)
_GET_INSTEAD: Final = frozenset({400, 403, 404, 405, 406, 410, 500, 501})
_COMMIT: Final = 300.0
_LIST_TAGS: Final = "list the tags there are: dreg tags, or .tags()"

NameOf = Tag | Digest


@dataclass(frozen=True, slots=True)
class Served:
    """A manifest as it came.

    Attributes:
        raw: Its bytes.
        media_type: What it was served as, without parameters; empty where that says nothing.
        digest: The digest of the bytes: checked where one was asked for, else by what the registry says of them.
    """

    raw: bytes
    media_type: str
    digest: Digest


@dataclass(frozen=True, slots=True)
class _Claim:
    """What a registry says of a manifest that it does not send."""

    media_type: str
    digest: Digest
    size: int

    @property
    def is_plain(self) -> bool:
        """Whether one sees at once that a descriptor can say that."""
        return self.media_type in types.KNOWN and 0 < self.size < 1 << 63


def name_of(reference: str) -> NameOf:
    """A tag or a digest.

    Raises:
        InvalidReferenceError: The text is neither.
        InvalidDigestError: It has a colon, and is no digest.
        UnsupportedDigestError: Nothing can be proven by it.
    """
    if ":" not in reference:
        return Tag(reference)
    digest = Digest(reference)
    if not digest.computable:
        raise errors.UnsupportedDigestError(digest)
    return digest


def manifest_target(repository: RepositoryName, name: NameOf) -> str:
    """Path of a manifest."""
    return f"/v2/{repository}/manifests/{quote(name, safe=':+')}"


def _request(method: str, repository: RepositoryName, name: NameOf, *, legacy: bool = False) -> Request:
    what = f"{repository}@{name}" if isinstance(name, Digest) else f"{repository}:{name}"
    return Request(
        method,
        manifest_target(repository, name),
        f"repository:{repository}:pull",
        (_ACCEPT_LEGACY if legacy else _ACCEPT,),
        mirrored=True,
        what=what,
    )


def get(repository: RepositoryName, name: NameOf, *, legacy: bool = False, limit: int = MAX_ANSWER) -> Exchange[Served]:
    """The manifest of a tag or digest ("Pulling manifests"); its digest is computed, what the registry says is checked.

    Raises:
        NotFoundError: There is no such manifest.
        DigestMismatchError: Other bytes came than were asked for, or than the registry says.
        UnsupportedMediaTypeError: It is a page for browsers.
    """
    request = replace(_request("GET", repository, name, legacy=legacy), limit=limit)
    response = accept((yield request), request, _LIST_TAGS)
    wanted = name if isinstance(name, Digest) else None
    raw = plain(response, wanted, limit)
    digest = Digest.of(raw, wanted.algorithm if wanted else "sha256")
    if wanted is not None and digest != wanted:
        raise errors.DigestMismatchError(wanted, digest, response.where)
    _check_claim(response, raw, digest)
    return Served(raw, _media_type(response, digest), digest)


def _check_claim(response: Response, raw: bytes, digest: Digest) -> None:
    """`Docker-Content-Digest` is a claim: of the same algorithm and different, the bytes are others (DLD-06).

    Of a signed schema 1 manifest, registries say the digest that it had before it was signed.
    """
    claim = claimed_digest(response)
    if claim is None or not claim.computable or claim == Digest.of(raw, claim.algorithm):
        return
    from dreg_client.models.signed import payload_of  # noqa: PLC0415 (as rare as schema 1)

    payload = payload_of(raw)
    if payload is None or claim != Digest.of(payload, claim.algorithm):
        raise errors.DigestMismatchError(claim, digest, f"{response.where}, by its Docker-Content-Digest")


def claimed_digest(response: Response) -> Digest | None:
    """What the registry says that the digest is; None where it says nothing, or nothing that can be checked."""
    value = response.headers.get("docker-content-digest")
    if value is None:
        return None
    if len({other.strip() for other in response.headers.all("docker-content-digest")} - {""}) > 1:
        raise errors.ProtocolError("has several Docker-Content-Digest, which differ", response.where)
    if digest_fault(value) is not None or not Digest(value).computable:
        log.warning("%s: Docker-Content-Digest is no digest that can be computed; it is passed over", response.where)
        return None
    return Digest(value)


def _media_type(response: Response, digest: Digest) -> str:
    served = types.essence(response.headers.get("content-type") or "")
    if served in types.PAGES:
        advice = "a registry would not serve a page for browsers: check the address, and what stands between"
        raise errors.UnsupportedMediaTypeError(served, digest, advice)
    if served in _SAYS_NOTHING:
        return ""
    if not types.is_media_type(served):
        raise errors.UnsupportedMediaTypeError(served[:255], digest, "it was served as what is no media type")
    return served


def head(repository: RepositoryName, name: NameOf) -> "Exchange[Descriptor | None]":
    """What the registry says of a manifest without sending it ("Checking if content exists in the registry").

    Returns:
        Its descriptor, as far as it is a claim; None where the answer says too little, so that only a GET can tell.

    Raises:
        UnauthorizedError: And what else `accept` raises, but where a GET may do better (DLD-21).
    """
    claim = yield from _claim(repository, name)
    return _described_claim(claim) if claim else None


def _described_claim(claim: _Claim) -> "Descriptor | None":
    # Here, and not above: who wants a digest alone does not wait until models are built.
    from dreg_client.models.descriptor import claimed  # noqa: PLC0415

    return claimed(claim.media_type, claim.digest, claim.size)


def _claim(repository: RepositoryName, name: NameOf) -> Exchange[_Claim | None]:
    request = _request("HEAD", repository, name)
    response = yield request
    if response.status in _GET_INSTEAD:
        return None
    accept(response, request)
    digest = claimed_digest(response)
    size = response.length
    served = types.essence(response.headers.get("content-type") or "")
    if digest is None or size is None or served in _SAYS_NOTHING | types.PAGES:
        return None
    if isinstance(name, Digest) and digest != name:
        return None
    return _Claim(served, digest, size)


@dataclass(slots=True)
class Habits:
    """What a registry was found to do.

    Attributes:
        heads: Whether HEAD tells of its manifests; where it does not, though GET does, it is not tried again.
    """

    heads: bool = True


def resolve(repository: RepositoryName, name: NameOf, habits: Habits) -> "Exchange[Descriptor]":
    """The descriptor of a tag or digest: by HEAD, which Docker Hub counts as no pull; else by GET (DLD-21)."""
    found = (yield from head(repository, name)) if habits.heads else None
    if found is not None:
        return found
    served = yield from get(repository, name)
    if not isinstance(name, Digest):  # of a digest, HEAD may speak by another algorithm, and be right
        habits.heads = False
    return described(served)


def digest(repository: RepositoryName, name: NameOf) -> Exchange[Digest]:
    """The digest of what `resolve` finds."""
    claim = yield from _claim(repository, name)
    if claim is not None and (claim.is_plain or _described_claim(claim)):
        return claim.digest
    return (yield from get(repository, name)).digest


def described(served: Served) -> "Descriptor":
    """The descriptor of bytes that came: what they were served as, else what they say or look like."""
    from dreg_client.models.descriptor import Descriptor  # noqa: PLC0415 (as in `_described_claim`)
    from dreg_client.models.parse import own_media_type  # noqa: PLC0415 (as above)

    media_type = served.media_type or own_media_type(served.raw)
    return Descriptor(mediaType=media_type, digest=served.digest, size=len(served.raw))


def check_served(served: Served, descriptor: "Descriptor") -> None:
    """Refuse a manifest that is served as another known type than the descriptor names (MDL-16).

    Raises:
        MediaTypeMismatchError: It is.
    """
    if served.media_type and served.media_type != descriptor.media_type and served.media_type in types.KNOWN:
        problem = rules.error("GEN-07", "$.mediaType", f"served as {served.media_type}", descriptor.media_type)
        raise errors.MediaTypeMismatchError((problem,), "", served.digest)


def put(repository: RepositoryName, name: NameOf, raw: bytes, media_type: str) -> Exchange[Digest]:
    """Write a manifest, byte for byte ("Pushing Manifests").

    Raises:
        DigestMismatchError: The registry says that it took other bytes.
    """
    what = f"manifest {repository}{'@' if isinstance(name, Digest) else ':'}{name}, of type {media_type}"
    request = Request(
        "PUT",
        manifest_target(repository, name),
        f"repository:{repository}:pull,push",
        (("Content-Type", media_type),),
        raw,
        what=what,
        waits=_COMMIT,
    )
    response = accept((yield request), request)
    claim = claimed_digest(response)
    if claim is not None and claim != (written := Digest.of(raw, claim.algorithm)):
        raise errors.DigestMismatchError(written, claim, f"{response.where}, as the registry took it")
    return name if isinstance(name, Digest) else Digest.of(raw)


def delete(repository: RepositoryName, name: NameOf) -> Exchange[None]:
    """Delete a tag, or by digest a manifest with all its tags ("Deleting tags", "Deleting Manifests").

    Raises:
        NotFoundError: There is no such thing.
        UnsupportedError: The registry does not offer it.
    """
    what = f"manifest {repository}@{name}" if isinstance(name, Digest) else f"tag {repository}:{name}"
    request = Request("DELETE", manifest_target(repository, name), f"repository:{repository}:delete", what=what)
    response = yield request
    # 400 for a tag: distribution takes it for a digest, and calls it an invalid one.
    offered = response.status != 405 and (response.status != 400 or isinstance(name, Digest))
    if not response.ok:
        refuse(response, request, "" if offered else _DELETES_NOTHING, offered=offered)


_DELETES_NOTHING: Final = "registries need to be set up for deletion, and some delete by digest alone"
