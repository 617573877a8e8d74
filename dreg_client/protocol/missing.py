"""Rejected manifests: whether the registry lacks manifests or blobs that they name."""

from collections.abc import Collection
from typing import Final, cast

from dreg_client import errors
from dreg_client.models.json_text import AmbiguousTextError, read_object
from dreg_client.values.digest import Digest, digest_fault

MOST_CHECKED: Final = 100
"""The most manifests to look up in order to report which ones are missing."""
_CODES: Final = frozenset({"MANIFEST_BLOB_UNKNOWN", "MANIFEST_UNKNOWN", "BLOB_UNKNOWN"})


def is_for_missing(failure: errors.RegistryError) -> bool:
    """Return whether a registry reports that it rejected a manifest because content is missing."""
    return not _CODES.isdisjoint(failure.codes)


def may_be_for_missing(failure: errors.RegistryError) -> bool:
    """Return whether a registry may have rejected a manifest because of missing content, even if it does not say so."""
    return failure.status in {400, 404} or is_for_missing(failure)


def named_manifests(raw: bytes) -> tuple[Digest, ...]:
    """Return the valid digests of the manifests that an index names, each once."""
    try:
        entries = read_object(raw).get("manifests")
    except AmbiguousTextError:
        return ()
    texts = [digest_in(entry) for entry in cast("list[object]", entries)] if isinstance(entries, list) else []
    return tuple(dict.fromkeys(Digest(text) for text in texts if isinstance(text, str) and digest_fault(text) is None))


def required_content(raw: bytes) -> tuple[tuple[str, Digest], ...]:
    """Return the content that must exist where a manifest is written: `manifest` or `blob` and its digest, each once.

    Content with `urls` may be elsewhere, and so may the `subject` (manifest.md).
    """
    try:
        tree = read_object(raw)
    except AmbiguousTextError:
        return ()
    found: dict[Digest, str] = {}
    for name, what in (("manifests", "manifest"), ("layers", "blob"), ("config", "blob")):
        for entry in _descriptors(tree.get(name)):
            text = entry.get("digest")
            if isinstance(text, str) and digest_fault(text) is None and not entry.get("urls"):
                found.setdefault(Digest(text), what)
    return tuple((what, digest) for digest, what in found.items())


def _descriptors(value: object) -> list[dict[str, object]]:
    items = cast("list[object]", value) if isinstance(value, list) else [value]
    return [cast("dict[str, object]", item) for item in items if isinstance(item, dict)]


def digest_in(entry: object) -> object:
    """Return the digest of an index entry, valid or not; None if it has none."""
    return cast("dict[str, object]", entry).get("digest") if isinstance(entry, dict) else None


def with_reason(
    failure: errors.RegistryError, cannot: str, missing: Collection[Digest], name: str
) -> errors.UnsupportedError:
    """Return the error for a manifest that cannot be pushed again because the registry no longer has all its content.

    Args:
        failure: The registry's error.
        cannot: The operation that failed, such as `cannot tag acme/web:1.4`.
        missing: The digests that are missing. Those that the registry's error already names are not repeated.
        name: The full name of the manifest, by its digest.
    """
    reported = " ".join(failure.said)
    names = ", ".join(digest for digest in missing if digest not in reported)
    what = f"{cannot}: the registry no longer has content that its manifest names{f' ({names})' if names else ''}"
    advice = f"to delete the manifest with all its tags, use delete_manifest on {name}"
    return errors.UnsupportedError(what, failure.where, advice, failure.status, failure.said, failure.request_id)
