"""What a registry refuses a manifest for: that it names manifests or blobs which the registry does not have."""

from collections.abc import Collection
from typing import Final, cast

from dreg_client import errors
from dreg_client.models.json_text import AmbiguousTextError, read_object
from dreg_client.values.digest import Digest, digest_fault

MOST_ASKED: Final = 100
"""The most manifests that are looked up to say which are missing."""
_CODES: Final = frozenset({"MANIFEST_BLOB_UNKNOWN", "MANIFEST_UNKNOWN", "BLOB_UNKNOWN"})


def is_for_missing(failure: errors.RegistryError) -> bool:
    """Return whether a registry says that it refused a manifest because it does not have what that names."""
    return not _CODES.isdisjoint(failure.codes)


def may_be_for_missing(failure: errors.RegistryError) -> bool:
    """Return whether a registry may have refused a manifest for that, whatever it says."""
    return failure.status in {400, 404} or is_for_missing(failure)


def named_manifests(raw: bytes) -> tuple[Digest, ...]:
    """Return the digests of the manifests that an index names, each once; those that are not valid are left out."""
    try:
        entries = read_object(raw).get("manifests")
    except AmbiguousTextError:
        return ()
    texts = [digest_in(entry) for entry in cast("list[object]", entries)] if isinstance(entries, list) else []
    return tuple(dict.fromkeys(Digest(text) for text in texts if isinstance(text, str) and digest_fault(text) is None))


def digest_in(entry: object) -> object:
    """Return what the entry of an index has as its digest, valid or not; None if it has nothing."""
    return cast("dict[str, object]", entry).get("digest") if isinstance(entry, dict) else None


def with_reason(
    failure: errors.RegistryError, cannot: str, missing: Collection[Digest], name: str
) -> errors.UnsupportedError:
    """Return the error of a manifest that cannot be pushed again, as the registry no longer has what it names.

    Args:
        failure: The registry's refusal.
        cannot: What cannot be done.
        missing: What is missing; not shown if the refusal names it.
        name: The name of the manifest, with the registry, by its digest.
    """
    said = " ".join(failure.said)
    names = ", ".join(digest for digest in missing if digest not in said)
    what = f"{cannot}: its manifest names what the registry does not have{f', {names}' if names else ''}"
    advice = f"to delete the manifest with all its tags, use delete_manifest, or: dreg delete {name}"
    return errors.UnsupportedError(what, failure.where, advice, failure.status, failure.said, failure.request_id)
