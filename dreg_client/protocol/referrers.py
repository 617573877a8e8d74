"""Referrers of a manifest, such as signatures and attestations (distribution-spec "Listing Referrers")."""

import re
from collections.abc import Iterable, Sequence
from typing import Final
from urllib.parse import quote

from dreg_client import errors
from dreg_client._logging import log
from dreg_client.models.base import Members
from dreg_client.models.descriptor import Descriptor
from dreg_client.models.index import AnyManifest, DockerManifestList, Index, OciIndex
from dreg_client.models.lenient import LENIENT
from dreg_client.models.listing import read_entries
from dreg_client.models.manifest import ImageManifest
from dreg_client.models.parse import parse_manifest
from dreg_client.models.paths import object_at
from dreg_client.models.stored import read_or_scan
from dreg_client.protocol.content import RawManifest
from dreg_client.protocol.error_responses import raise_unless_content
from dreg_client.protocol.messages import Request, Response
from dreg_client.protocol.tags_and_catalog import Pages
from dreg_client.values.digest import Digest, is_digest
from dreg_client.values.media_type import OCI_INDEX, essence
from dreg_client.values.reference import RepositoryName, Tag

MOST: Final = 1000
_NOT_IN_TAGS: Final = re.compile(r"[^A-Za-z0-9._-]")
_NOT_OFFERED: Final = frozenset({400, 404, 405, 406, 501})
_UNFOLLOWED: Final = frozenset({301, 302, 303, 307, 308})
"""Statuses of redirects, which are not followed here: GHCR redirects to a web page that may return 404 or 429."""
_FAULTS: Final = (
    errors.NotFoundError,
    errors.DocumentError,
    errors.IntegrityError,
    errors.ResponseTooLargeError,
    errors.TooManyEntriesError,
    errors.UnsupportedDigestError,
)


def referrer_pages(repository: RepositoryName, digest: Digest, artifact_type: str | None = None) -> Pages:
    """Return the pages of a manifest's list of referrers. Some registries ignore `artifact_type`."""
    query = f"?artifactType={quote(artifact_type, safe='')}" if artifact_type else ""
    target = f"/v2/{repository}/referrers/{digest}{query}"
    what = f"list of referrers of {digest} in {repository}"
    scope, headers = f"repository:{repository}:pull", (("Accept", OCI_INDEX),)
    return Pages(Request("GET", target, scope, headers, what=what, is_list=True, stays=True))


def is_not_offered(response: Response) -> bool:
    """Return whether the registry keeps no list, but perhaps has the `fallback_tag` (DLD-24).

    Such a registry responds with an error, a web page, or a redirect to another host. Harbor before 2.8 responds to
    unknown paths with a 401 without a challenge, which may also mean that access is denied.
    """
    if response.status == 401:
        return not response.headers.all("www-authenticate")
    served = essence(response.headers.get("content-type") or "")
    is_absent = response.status in _NOT_OFFERED | _UNFOLLOWED
    return is_absent or (response.ok and served in {"text/html", "text/plain"})


def parse_referrers(response: Response, request: Request) -> tuple[Descriptor, ...]:
    """Return the referrers of one page, in the registry's order.

    A malformed entry is logged as a warning. It is included only if its digest is valid.
    """
    raw = raise_unless_content(response, request).body
    try:
        return OciIndex.parse(raw).manifests
    except errors.InvalidDocumentError as failure:
        return _malformed_entries(raw, response.where, failure)


def parse_fallback(served: RawManifest, where: str) -> tuple[Descriptor, ...]:
    """Return the referrers in the manifest of a `fallback_tag`, like `parse_referrers`; none if it is not an index."""
    try:
        index = parse_manifest(served.raw, served.media_type or None)
        entries = index.manifests if isinstance(index, Index) else ()
    except errors.InvalidDocumentError as failure:
        entries = _malformed_entries(served.raw, where, failure)
    check_count(entries, where)
    return entries


def _malformed_entries(raw: bytes, where: str, failure: errors.InvalidDocumentError) -> tuple[Descriptor, ...]:
    """Return the entries of an index if only entries are malformed; otherwise raise the failure."""
    entries = read_entries(raw, MOST)
    if entries is None:
        raise failure
    for entry in entries:
        if entry.descriptor is None:
            log.warning("%s: skipping the entry %s, which is not a valid descriptor", where, entry.text)
        elif entry.problems:
            problems = "; ".join(map(str, entry.problems))
            log.warning("%s: the entry %s is malformed: %s", where, entry.descriptor.digest, problems)
    return tuple(entry.descriptor for entry in entries if entry.descriptor is not None)


def check_count(found: Sequence[Descriptor], where: str) -> None:
    """Raise TooManyEntriesError if there are more than 1,000 referrers."""
    if len(found) > MOST:
        raise errors.TooManyEntriesError(
            where, MOST, "referrers", f"{len(found):,} were listed; delete those that are not needed"
        )


def is_fault_of_referrer(failure: errors.DregError) -> bool:
    """Return whether a failure is due to the referrer itself, so that it may be left out of the list.

    Any other error, such as a lost connection, says nothing about the referrer. If it were left out, the list would
    look as if it did not exist.
    """
    return isinstance(failure, _FAULTS) and not isinstance(failure, errors.AuthError)


def of_type(entries: Iterable[Descriptor], artifact_type: str | None) -> tuple[Descriptor, ...]:
    """Return the entries that state this artifact type; all entries for None."""
    return tuple(entry for entry in entries if artifact_type in {None, entry.artifact_type})


def served_type(served: RawManifest) -> str | None:
    """Return the artifact type that a manifest itself states, even if the manifest is malformed.

    A list may state another type: go-containerregistry lists the type of the config.
    """
    tree = _tree(served.raw)
    stated = tree.get("artifactType") or object_at(tree, "config").get("mediaType")
    return stated if isinstance(stated, str) else None


def is_malformed_referrer(served: RawManifest, digest: Digest, artifact_type: str | None) -> bool:
    """Return whether a malformed manifest has this subject and this artifact type (None: any type)."""
    return subject_in(served.raw) == digest and artifact_type in {None, served_type(served)}


def _tree(raw: bytes) -> Members:
    tree, _ = read_or_scan(raw, nul=False)
    return tree or {}


def fallback_tag(digest: Digest) -> Tag:
    """Return the tag under which clients keep the list if the registry does not ("Referrers Tag Schema")."""
    return Tag(_NOT_IN_TAGS.sub("-", f"{digest.algorithm[:32]}-{digest.encoded[:64]}"))


def lists_referrers(response: Response, subject: Digest) -> bool:
    """Return whether the registry lists a pushed manifest as a referrer of its subject, according to `OCI-Subject`."""
    return response.headers.get("oci-subject") == subject


def subject_in(raw: bytes) -> Digest | None:
    """Return the digest of a manifest's `subject`, even if the rest is not valid; None if there is none."""
    digest = object_at(_tree(raw), "subject").get("digest")
    return Digest(digest) if isinstance(digest, str) and is_digest(digest) else None


def subject_of(document: AnyManifest) -> Descriptor | None:
    """Return the `subject` of a manifest; a Docker manifest list cannot have one."""
    return None if isinstance(document, DockerManifestList) else document.subject


def artifact_type_of(document: AnyManifest) -> str | None:
    """Return an artifact's type: its own, or else the media type of its config ("Listing Referrers")."""
    own = getattr(document, "artifact_type", None)
    return own or (document.config.media_type if isinstance(document, ImageManifest) else own)


def referrer(entry: Descriptor, document: AnyManifest) -> Descriptor:
    """Return an entry for a list of referrers: with the artifact's type and annotations."""
    members = {
        "mediaType": entry.media_type,
        "digest": entry.digest,
        "size": entry.size,
        "artifactType": artifact_type_of(document),
        "annotations": dict(getattr(document, "annotations", None) or {}) or None,
    }
    # The document has already been validated, perhaps with strict=False.
    named = {name: value for name, value in members.items() if value is not None}
    return Descriptor.model_validate(named, context=LENIENT)
