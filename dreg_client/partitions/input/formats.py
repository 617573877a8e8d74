"""The formats of files with documents, by the endings of their names, or by their first bytes."""

from typing import Final

from dreg_client.partitions.partition import Compression, Format
from dreg_client.values.source_url import without_query

_COMPRESSIONS: Final[dict[str, Compression]] = {".gz": "gzip", ".zst": "zstd", ".bz2": "bzip2", ".xz": "xz"}
_OTHER_COMPRESSIONS: Final = frozenset(
    ("7z", "br", "deflate", "lz4", "lzma", "lzo", "rar", "snappy", "sz", "z", "zip", "zstd")
)
"""The endings of compressed files that are not read in folders."""
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


def is_packed(name: str) -> bool:
    """Return whether a file would have documents if it were decompressed, by the endings of its path or URL.

    Examples:
        >>> is_packed("web.jsonl.lz4"), is_packed("web.parquet.gz"), is_packed("web.jsonl.gz"), is_packed("web.lz4")
        (True, True, False, False)
    """
    stem, _, ending = without_query(name)[0].rpartition(".")
    is_compressed = ending.lower() in _OTHER_COMPRESSIONS or f".{ending.lower()}" in _COMPRESSIONS
    return is_compressed and is_known(stem) and not is_known(name)


def is_known(name: str) -> bool:
    """Return whether a file has documents, by the ending of its path or URL."""
    return format_of(name) is not None
