"""URLs of files on object storage and other file systems, such as `s3://bucket/manifests.parquet`."""

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import unquote

_URL: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_NAMED: Final = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]*:)*//")
"""A URL, perhaps after the kind of a store: `registry-storage:s3://...`."""
LOCAL_URLS: Final = ("file://", "local://")
_NOT_FILES: Final = ("docker://", "http://", "https://")
"""The prefixes of registries."""
_USER: Final = re.compile(r"(?<=://)[^/\s]*?:[^/\s]*@")
_PASSWORD: Final = re.compile(r"(?<=://)([^/\s:]*):[^/\s]*@")
_QUERY: Final = re.compile(r"(?<=[?&])([^=&/?\s]+)=([^&\s]*)")
_CHAIN: Final = re.compile(r"::(?:[a-z0-9_-]+::)*[A-Za-z][A-Za-z0-9+.-]*://")
"""What follows the file in a chain of URLs, such as `zip://x.json::s3://bucket/x.zip`. File names may contain `::`."""
_BLANK: Final = "***"
_LABELLED: Final = re.compile(r"(?i)((?:key|secret|token|sig|signature|password|credential)[\w-]*=)[^\s&,;'\"]+")
"""Secrets in the messages of file systems, which may have them from the environment."""
_SHORTEST_SECRET: Final = 4
_LONGEST: Final = 500


def is_source_url(source: str) -> bool:
    """Return whether a source is a URL of files, not a path, and not in a registry.

    Examples:
        >>> is_source_url("s3://bucket/web.jsonl"), is_source_url("https://ghcr.io"), is_source_url("web.jsonl")
        (True, False, False)
    """
    return bool(_URL.match(source)) and not source.startswith(_NOT_FILES)


def is_remote(source: str) -> bool:
    """Return whether a source is a URL of files that are not on this machine's file system.

    Examples:
        >>> is_remote("s3://bucket/web.jsonl"), is_remote("file:///srv/web.jsonl"), is_remote("web.jsonl")
        (True, False, False)
    """
    return is_source_url(source) and not source.startswith(LOCAL_URLS)


def local_path(path: str) -> str:
    """Return the path in a URL of a local file, such as `file:///srv/registry`; other paths unchanged."""
    return next((path.removeprefix(prefix) for prefix in LOCAL_URLS if path.startswith(prefix)), path)


def without_query(source: str) -> tuple[str, str]:
    """Return a path or URL without its query, and the query, such as `?versionId=1`; empty if there is none.

    The URLs that follow in a chain belong to the query. The URL of a local file has none: each name is itself.

    Examples:
        >>> without_query("s3://bucket/x.json?versionId=1"), without_query("what?.json")
        (('s3://bucket/x.json', '?versionId=1'), ('what?.json', ''))
        >>> without_query("zip://x.json::s3://bucket/x.zip")
        ('zip://x.json', '::s3://bucket/x.zip')
    """
    if not _URL.match(source) or source.startswith(LOCAL_URLS):
        return source, ""
    found, chain = _QUERY.search(source), _CHAIN.search(source)
    ends = [*([found.start() - 1] if found else []), *([chain.start()] if chain else [])]
    end = min(ends, default=len(source))
    return source[:end], source[end:]


def shown_source(source: str) -> str:
    """Return a path or URL without the password and the values of the query that it contains.

    Examples:
        >>> shown_source("sftp://me:secret@host/web.parquet"), shown_source("abfs://web@account/x.json?sig=secret")
        ('sftp://***@host/web.parquet', 'abfs://web@account/x.json?sig=***')
    """
    if not _NAMED.match(source):
        return without_passwords(source)
    return _QUERY.sub(rf"\1={_BLANK}", without_passwords(source))


def without_passwords(text: str) -> str:
    """Return a message without the user names and passwords of the URLs in it.

    Examples:
        >>> without_passwords("'tcp://me:secret@host:8786' is not a path")
        "'tcp://***@host:8786' is not a path"
    """
    return _USER.sub(f"{_BLANK}@", text) if "://" in text else text


def without_password(source: str) -> str:
    """Return a URL without the passwords in it, but with everything that determines which file it names."""
    return _PASSWORD.sub(r"\1@", source) if _URL.match(source) else source


def encodable(text: str) -> str:
    r"""Return a path with its bytes that are not UTF-8 as escapes, so that Arrow can store it.

    Examples:
        >>> encodable("caf\udce9"), encodable("a\ud800")
        ('caf\\xe9', 'a\\ud800')
    """
    if text.isascii():
        return text
    try:
        raw = text.encode(errors="surrogateescape")
    except UnicodeEncodeError:  # of a text that is not a path
        raw = text.encode(errors="backslashreplace")
    return raw.decode(errors="backslashreplace")


def without_secrets(message: str, source: str) -> str:
    """Return the beginning of another library's message, without the secrets of the URL that it is about."""
    text = message.replace(source, shown_source(source))
    for secret in sorted(_secrets(source), key=len, reverse=True):
        text = text.replace(secret, _BLANK)
    text = _LABELLED.sub(rf"\1{_BLANK}", text)
    return " ".join(text.split()).rstrip(". ")[:_LONGEST]


def _secrets(source: str) -> set[str]:
    return {secret for secret in _raw_secrets(source) if len(secret) >= _SHORTEST_SECRET}


def _raw_secrets(source: str) -> Iterator[str]:
    """Yield the user names, passwords and values of the query in a URL, raw and decoded."""
    if not _NAMED.match(source):
        return
    for user in _USER.findall(source):
        for secret in (user[:-1], *user[:-1].split(":", 1)):
            yield from (secret, unquote(secret))
    for _, value in _QUERY.findall(source):
        yield from (value, unquote(value))
