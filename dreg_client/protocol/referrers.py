"""What refers to a manifest: signatures, attestations and the like (distribution-spec "Listing Referrers")."""

from typing import Final
from urllib.parse import quote

from dreg_client import errors
from dreg_client._logging import log
from dreg_client.models.descriptor import Descriptor
from dreg_client.models.index import DockerManifestList, Index, OciIndex, right_entries
from dreg_client.models.manifest import ImageManifest
from dreg_client.models.parse import AnyManifest, parse_manifest
from dreg_client.protocol import manifests
from dreg_client.protocol.error_responses import accept
from dreg_client.protocol.messages import Exchange, Request, Response
from dreg_client.protocol.tags_and_catalog import Pages
from dreg_client.values import media_type as types
from dreg_client.values.digest import Digest
from dreg_client.values.media_type import essence
from dreg_client.values.reference import RepositoryName, Tag

MOST: Final = 1000
_NOT_OFFERED: Final = frozenset({400, 404, 405, 406, 501})
_LONGEST_ENCODED: Final = 64


def referrers(
    repository: RepositoryName, digest: Digest, artifact_type: str | None = None
) -> Exchange[tuple[Descriptor, ...]]:
    """The descriptors of what refers to a manifest, in the registry's order.

    Where the registry has no such list, its tag `sha256-...` is read, by which older clients keep one ("Referrers Tag
    Schema"); where there is none, nothing refers to it.

    Args:
        repository: The repository.
        digest: The manifest that is referred to; it need not be there.
        artifact_type: Only those of this type.

    Raises:
        LimitExceededError: There are more than 1,000.
        InvalidDocumentError: The list is no index.
    """
    query = f"?artifactType={quote(artifact_type, safe='')}" if artifact_type else ""
    target = f"/v2/{repository}/referrers/{digest}{query}"
    what = f"list of what refers to {digest} in {repository}"
    pages = Pages(Request("GET", target, f"repository:{repository}:pull", (("Accept", types.OCI_INDEX),), what=what))
    found: list[Descriptor] = []
    while pages.request is not None:
        response = yield pages.request
        if not found and _is_not_offered(response):
            return (yield from _by_tag(repository, digest, artifact_type))
        found += _entries(accept(response, pages.request).body, response.where)
        _bound(found, response.where)
        pages.turn(response)
    return tuple(entry for entry in found if artifact_type in {None, entry.artifact_type})


def _is_not_offered(response: Response) -> bool:
    """No such list here: a refusal, or a page that is none (DLD-24)."""
    served = essence(response.headers.get("content-type") or "")
    return response.status in _NOT_OFFERED or (response.ok and served in {"text/html", "text/plain"})


def _entries(raw: bytes, where: str) -> tuple[Descriptor, ...]:
    try:
        return OciIndex.parse(raw).manifests
    except errors.InvalidDocumentError as failure:
        return _sorted_out(raw, where, failure)


def _sorted_out(raw: bytes, where: str, failure: errors.InvalidDocumentError) -> tuple[Descriptor, ...]:
    """The entries that are right of what is an index but for some of its entries; those are left out, with a warning.

    Raises:
        InvalidDocumentError: More is wrong than that.
    """
    sorted_out = right_entries(raw, MOST)
    if sorted_out is None:
        raise failure
    known, left_out = sorted_out
    for entry in left_out:
        log.warning("%s lists %s, which is no descriptor; it is left out", where, entry)
    return known


def _bound(found: list[Descriptor], where: str) -> None:
    if len(found) > MOST:
        raise errors.ResponseTooLargeError(f"{where}: referrers", len(found), MOST)


def fallback_tag(digest: Digest) -> Tag:
    """The tag under which clients keep the list where the registry has none ("Referrers Tag Schema")."""
    return Tag(f"{digest.algorithm[:32]}-{digest.encoded[:_LONGEST_ENCODED]}")


def _by_tag(repository: RepositoryName, digest: Digest, artifact_type: str | None) -> Exchange[tuple[Descriptor, ...]]:
    try:
        served = yield from manifests.get(repository, fallback_tag(digest))
    except errors.NotFoundError:
        return ()
    where = f"{repository}:{fallback_tag(digest)}"
    try:
        index = parse_manifest(served.raw, served.media_type or None)
        entries = index.manifests if isinstance(index, Index) else ()
    except errors.InvalidDocumentError as failure:
        entries = _sorted_out(served.raw, where, failure)
    _bound(list(entries), where)
    chosen = tuple(entry for entry in entries if artifact_type in {None, entry.artifact_type})
    if chosen or artifact_type is None:
        return chosen
    return (yield from _by_their_manifests(repository, entries, artifact_type))


def _by_their_manifests(
    repository: RepositoryName, entries: tuple[Descriptor, ...], artifact_type: str
) -> Exchange[tuple[Descriptor, ...]]:
    """Some lists name another type than the manifests themselves (quirk 39): those are asked."""
    chosen: list[Descriptor] = []
    for entry in entries:
        try:
            served = yield from manifests.get(repository, entry.digest)
            document = parse_manifest(served.raw, served.media_type or None)
        except errors.DregError:
            continue
        if artifact_type_of(document) == artifact_type:
            chosen.append(entry)
    return tuple(chosen)


def subject_of(document: AnyManifest) -> Descriptor | None:
    """Return the `subject` of a manifest; a Docker manifest list cannot have one."""
    return None if isinstance(document, DockerManifestList) else document.subject


def artifact_type_of(document: AnyManifest) -> str | None:
    """The type of an artifact: its own, else that of its config ("Listing Referrers")."""
    own = getattr(document, "artifact_type", None)
    if own or not isinstance(document, ImageManifest):
        return own
    return document.config.media_type


def referrer(entry: Descriptor, document: AnyManifest) -> Descriptor:
    """An entry as a list of referrers has it: with the artifact's type and annotations."""
    members = {
        "mediaType": entry.media_type,
        "digest": entry.digest,
        "size": entry.size,
        "artifactType": artifact_type_of(document),
        "annotations": dict(getattr(document, "annotations", None) or {}) or None,
    }
    return Descriptor.model_validate({name: value for name, value in members.items() if value is not None})
