"""The formats of files with documents, by the endings of their names, or by their first bytes."""

from typing import Final

from dreg_client.partitions.partition import Compression, Format
from dreg_client.values.source_url import without_query

_COMPRESSIONS: Final[dict[str, Compression]] = {".gz": "gzip", ".zst": "zstd", ".bz2": "bzip2", ".xz": "xz"}
_FORMATS: Final[dict[str, Format]] = {
    ".json": "json",
    ".jsonl": "json-lines",
    ".ndjson": "json-lines",
    ".parquet": "parquet",
    ".tar": "tar",
}
ENDINGS: Final = ("*.json", "*.jsonl", "*.ndjson", "*.parquet", "*.tar")
"""The names of files with documents, for messages. All but Parquet files may also be compressed."""


def format_of(name: str) -> tuple[Format, Compression] | None:
    """Return the format and the compression of a file by the ending of its path or URL, in any case; None if not known.

    Examples:
        >>> format_of("web.jsonl.zst"), format_of("WEB.TGZ"), format_of("web.txt")
        (('json-lines', 'zstd'), ('tar', 'gzip'), None)
    """
    name = without_query(name)[0].lower()
    if name.endswith(".tgz"):
        return "tar", "gzip"
    compression: Compression = ""
    for ending, found in _COMPRESSIONS.items():
        if name.endswith(ending):
            name, compression = name.removesuffix(ending), found
            break
    for ending, form in _FORMATS.items():
        if name.endswith(ending) and not (form == "parquet" and compression):
            return form, compression
    return None


def is_known(name: str) -> bool:
    """Return whether a file has documents, by the ending of its path or URL."""
    return format_of(name) is not None
