"""The referrers tag: a list of referrers that clients keep where the registry keeps none ("Referrers Tag Schema").

A list is changed as JSON: what other clients wrote stays as it is, whether this library understands it or not.
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
    """A change of a list."""

    def of(self, served: RawManifest | None, where: str) -> bytes | None:
        """Return the changed list of a tag (None: there is no such tag); None if there is nothing to change."""
        ...


@dataclass(frozen=True, slots=True)
class Addition:
    """Add an entry, unless the list has it."""

    entry: Descriptor

    def of(self, served: RawManifest | None, where: str) -> bytes | None:
        """Return the list with the entry; raise ConflictError if the tag is not a list, and stays as it is (UPL-18)."""
        index: Mapping[str, object] | None = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": []}
        if served is not None and (index := index_in(served.raw)) is None:
            raise errors.ConflictError(f"{where} is not an OCI index that can list referrers, and was left as it is")
        entries = _entries(index or {})
        if any(digest_in(entry) == self.entry.digest for entry in entries):
            return None
        if len(entries) >= MOST:
            raise errors.ConflictError(f"{where} lists {len(entries)} referrers; at most {MOST} can be read")
        added = self.entry.model_dump(mode="json", by_alias=True, exclude_none=True)
        return _written(index or {}, [*entries, added])


@dataclass(frozen=True, slots=True)
class Removal:
    """Remove all entries of a manifest, by whichever digest of its bytes they name it."""

    raw: bytes

    def of(self, served: RawManifest | None, where: str) -> bytes | None:  # noqa: ARG002 (as of `Change`)
        """Return the list without the entries; a tag that is not a list has none."""
        index = index_in(served.raw) if served is not None else None
        entries = _entries(index or {})
        kept = _others(entries, [Digest.of(self.raw, algorithm) for algorithm in COMPUTABLE])
        return None if len(kept) == len(entries) else _written(index or {}, kept)


def without(raw: bytes, digests: Collection[Digest]) -> bytes:
    """Return a list without the entries of some digests."""
    index = read_object(raw)
    return _written(index, _others(_entries(index), digests))


def index_in(raw: bytes) -> dict[str, object] | None:
    """Return the members of an OCI index, whose entries may be invalid; None if it is anything else."""
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
