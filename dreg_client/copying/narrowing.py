"""Indexes of fewer platforms."""

import json
from collections.abc import Collection, Mapping
from typing import Any, Final, cast

from dreg_client.models.descriptor import Descriptor
from dreg_client.models.index import Index, is_attestation
from dreg_client.models.json_text import read_object
from dreg_client.values.digest import Digest

_SUBJECT: Final = "vnd.docker.reference.digest"
"""The annotation with the digest of the manifest that an attestation is about."""


def narrowed(index: Index, kept: Collection[Digest], replaced: Mapping[Digest, Descriptor]) -> bytes | None:
    """Return an index with only some of its entries; None if all of them stay, unchanged.

    Attestations stay with the manifests that they are about. All other members stay as they are.

    Args:
        index: The index.
        kept: The digests of the entries that stay.
        replaced: The new descriptors of nested indexes that change, by their old digest.
    """
    tree: dict[str, Any] = read_object(index.raw)
    written = cast("list[dict[str, Any]]", tree.get("manifests") or [])
    entries = [
        _entry(members, replaced.get(entry.digest))
        for members, entry in zip(written, index.manifests, strict=True)
        if stays(entry, kept)
    ]
    if entries == written:
        return None
    return json.dumps({**tree, "manifests": entries}, ensure_ascii=False, separators=(",", ":")).encode()


def stays(entry: Descriptor, kept: Collection[Digest]) -> bool:
    """Return whether an entry is kept, or is an attestation about one that is."""
    if entry.digest in kept:
        return True
    return is_attestation(entry) and (entry.annotations or {}).get(_SUBJECT) in kept


def _entry(members: dict[str, Any], replaced: Descriptor | None) -> dict[str, Any]:
    return {**members, "digest": str(replaced.digest), "size": replaced.size} if replaced else members
