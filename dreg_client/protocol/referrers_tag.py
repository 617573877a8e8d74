"""The referrers tag: a list that clients keep if the registry keeps none ("Referrers Tag Schema").

The list is changed as JSON, so entries of other clients stay as they are, even if this library cannot read them.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Protocol, cast

from dreg_client import errors
from dreg_client.models.descriptor import Descriptor
from dreg_client.models.json_text import AmbiguousTextError, read_object
from dreg_client.models.kinds import kind_of
from dreg_client.protocol.content import RawManifest
from dreg_client.protocol.missing import digest_in
from dreg_client.protocol.referrers import MOST
from dreg_client.values.digest import COMPUTABLE, Digest
from dreg_client.values.media_type import OCI_INDEX


class Change(Protocol):
    """A change of the list."""

    def of(self, served: RawManifest | None, where: str) -> bytes | None:
        """Return the changed list; None if there is nothing to change. `served` is None if the tag does not exist."""
        ...


@dataclass(frozen=True, slots=True)
class Addition:
    """Add an entry, unless the list already has it."""

    entry: Descriptor

    def of(self, served: RawManifest | None, where: str) -> bytes | None:
        """Return the list with the entry. ConflictError: the tag is not a list; it is not changed (UPL-18)."""
        index: Mapping[str, object] | None = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": []}
        if served is not None and (index := index_in(served.raw)) is None:
            raise errors.ConflictError(f"{where} is not an OCI index that can list referrers; it was not changed")
        entries = _entries(index or {})
        if any(digest_in(entry) == self.entry.digest for entry in entries):
            return None
        if len(entries) >= MOST:
            raise errors.ConflictError(f"{where} lists {len(entries)} referrers; at most {MOST} are supported")
        added = self.entry.model_dump(mode="json", by_alias=True, exclude_none=True)
        return _written(index or {}, [*entries, added])


@dataclass(frozen=True, slots=True)
class Removal:
    """Remove all entries of a manifest, whatever the algorithm of their digest."""

    raw: bytes

    def of(self, served: RawManifest | None, where: str) -> bytes | None:  # noqa: ARG002 (as of `Change`)
        """Return the list without the entries. A tag that is not a list has no entries."""
        index = index_in(served.raw) if served is not None else None
        entries = _entries(index or {})
        kept = _others(entries, [Digest.of(self.raw, algorithm) for algorithm in COMPUTABLE])
        return None if len(kept) == len(entries) else _written(index or {}, kept)


def without(raw: bytes, digests: Collection[Digest]) -> bytes:
    """Return a list without the entries that have these digests."""
    index = read_object(raw)
    return _written(index, _others(_entries(index), digests))


def index_in(raw: bytes) -> dict[str, object] | None:
    """Return the members of an OCI index, whose entries may be invalid; None for anything else."""
    try:
        tree = read_object(raw)
    except AmbiguousTextError:
        return None
    return tree if kind_of(tree) == "oci-index" and isinstance(tree.get("manifests"), list | None) else None


def _entries(index: Mapping[str, object]) -> list[object]:
    return cast("list[object]", index.get("manifests") or [])


def _others(entries: list[object], digests: Collection[Digest]) -> list[object]:
    return [entry for entry in entries if digest_in(entry) not in digests]


def _written(index: Mapping[str, object], entries: list[object]) -> bytes:
    return json.dumps({**index, "manifests": entries}, ensure_ascii=False, separators=(",", ":")).encode()
