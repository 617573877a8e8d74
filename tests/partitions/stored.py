"""Files of each kind with the same documents."""

import bz2
import gzip
import io
import json
import lzma
import tarfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pyarrow as pa
from backports import zstd
from pyarrow import parquet

VALID = b'{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}'
INVALID = b'{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":{}}'
PACK: Mapping[str, Callable[[bytes], bytes]] = {
    "": bytes,
    ".gz": gzip.compress,
    ".zst": zstd.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
}


def documents(count: int) -> list[bytes]:
    """Return valid documents, each with its number."""
    return [VALID.replace(b'"manifests"', b'"annotations":{"number":"%d"},"manifests"' % at) for at in range(count)]


def lines(count: int) -> bytes:
    return b"".join(document + b"\n" for document in documents(count))


def tar_of(members: Mapping[str, bytes], others: Sequence[tarfile.TarInfo] = ()) -> bytes:
    """Return an archive with members of these names, after others without content."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as archive:
        for other in others:
            archive.addfile(other)
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return raw.getvalue()


def parquet_of(path: Path, count: int, *, group: int = 100) -> Path:
    """Write a Parquet file with documents in the column `manifest`, and their numbers in the column `id`."""
    columns = {"manifest": documents(count), "id": list(range(count))}
    parquet.write_table(pa.table(columns), path, row_group_size=group)
    return path


def numbers(raws: Sequence[bytes | None]) -> list[int]:
    """Return the numbers of documents."""
    return [int(json.loads(raw or b"")["annotations"]["number"]) for raw in raws]
