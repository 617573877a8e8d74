"""Referrers of a manifest: signatures, attestations and the like (distribution-spec "Listing Referrers")."""

from collections.abc import Iterable, Sequence
from typing import Final
from urllib.parse import quote

from dreg_client import errors
from dreg_client._logging import log
from dreg_client.models.descriptor import Descriptor
from dreg_client.models.fields import READABLE
from dreg_client.models.index import AnyManifest, DockerManifestList, Index, OciIndex, right_entries
from dreg_client.models.manifest import ImageManifest
from dreg_client.models.parse import parse_manifest
from dreg_client.models.paths import object_at
from dreg_client.models.stored import read_or_scan
from dreg_client.protocol.content import RawManifest
from dreg_client.protocol.error_responses import raise_for_status
from dreg_client.protocol.messages import Request, Response
from dreg_client.protocol.tags_and_catalog import Pages
from dreg_client.values.digest import Digest
from dreg_client.values.media_type import OCI_INDEX, essence
from dreg_client.values.reference import RepositoryName, Tag

MOST: Final = 1000
_NOT_OFFERED: Final = frozenset({400, 404, 405, 406, 501})


def referrer_pages(repository: RepositoryName, digest: Digest, artifact_type: str | None = None) -> Pages:
    """Return the pages of the list of a manifest's referrers; not every registry heeds `artifact_type`."""
    query = f"?artifactType={quote(artifact_type, safe='')}" if artifact_type else ""
    target = f"/v2/{repository}/referrers/{digest}{query}"
    what = f"list of what refers to {digest} in {repository}"
    return Pages(Request("GET", target, f"repository:{repository}:pull", (("Accept", OCI_INDEX),), what=what))


def is_not_offered(response: Response) -> bool:
    """Return whether the registry has no list, only perhaps the `fallback_tag`: an error, or a page (DLD-24)."""
    served = essence(response.headers.get("content-type") or "")
    return response.status in _NOT_OFFERED or (response.ok and served in {"text/html", "text/plain"})


def parse_referrers(response: Response, request: Request) -> tuple[Descriptor, ...]:
    """Return the referrers of one page, in the registry's order; invalid entries are left out with a warning."""
    raw = raise_for_status(response, request).body
    try:
        return OciIndex.parse(raw).manifests
    except errors.InvalidDocumentError as failure:
        return _right_entries(raw, response.where, failure)


def parse_fallback(served: RawManifest, where: str) -> tuple[Descriptor, ...]:
    """Return the referrers in the manifest of a `fallback_tag`, as `parse_referrers`; none if it is not an index."""
    try:
        index = parse_manifest(served.raw, served.media_type or None)
        entries = index.manifests if isinstance(index, Index) else ()
    except errors.InvalidDocumentError as failure:
        entries = _right_entries(served.raw, where, failure)
    check_count(entries, where)
    return entries


def _right_entries(raw: bytes, where: str, failure: errors.InvalidDocumentError) -> tuple[Descriptor, ...]:
    """Return the valid entries of an index in which only entries are invalid, else raise the failure."""
    sorted_out = right_entries(raw, MOST)
    if sorted_out is None:
        raise failure
    known, left_out = sorted_out
    for entry in left_out:
        log.warning("%s lists %s, which is no descriptor; it is left out", where, entry)
    return known


def check_count(found: Sequence[Descriptor], where: str) -> None:
    """Raise ResponseTooLargeError if there are more than 1,000 referrers."""
    if len(found) > MOST:
        raise errors.ResponseTooLargeError(f"{where}: referrers", len(found), MOST)


def of_type(entries: Iterable[Descriptor], artifact_type: str | None) -> tuple[Descriptor, ...]:
    """Return the entries that state this artifact type; all of them for None."""
    return tuple(entry for entry in entries if artifact_type in {None, entry.artifact_type})


def served_type(served: RawManifest) -> str | None:
    """Return the artifact type that a manifest itself states; lists of older clients may state another (quirk 39)."""
    return artifact_type_of(parse_manifest(served.raw, served.media_type or None))


def fallback_tag(digest: Digest) -> Tag:
    """Return the tag under which clients keep the list if the registry has none ("Referrers Tag Schema")."""
    return Tag(f"{digest.algorithm[:32]}-{digest.encoded[:64]}")


def subject_of(document: AnyManifest) -> Descriptor | None:
    """Return the `subject` of a manifest; a Docker manifest list cannot have one."""
    return None if isinstance(document, DockerManifestList) else document.subject


def states_subject(raw: bytes, digest: Digest) -> bool:
    """Return whether the bytes of a malformed manifest state a digest as that of its `subject`."""
    tree, _ = read_or_scan(raw, nul=False)
    return tree is not None and object_at(tree, "subject").get("digest") == digest


def artifact_type_of(document: AnyManifest) -> str | None:
    """Return the type of an artifact: its own, else that of its config ("Listing Referrers")."""
    own = getattr(document, "artifact_type", None)
    return own or (document.config.media_type if isinstance(document, ImageManifest) else own)


def referrer(entry: Descriptor, document: AnyManifest) -> Descriptor:
    """Return an entry as a list of referrers has it: with the artifact's type and annotations."""
    members = {
        "mediaType": entry.media_type,
        "digest": entry.digest,
        "size": entry.size,
        "artifactType": artifact_type_of(document),
        "annotations": dict(getattr(document, "annotations", None) or {}) or None,
    }
    # The document was checked already, perhaps with strict=False.
    named = {name: value for name, value in members.items() if value is not None}
    return Descriptor.model_validate(named, context=READABLE)
