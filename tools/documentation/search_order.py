"""A hook of mkdocs that orders search results: pages that help with a task come first, records of the project last."""

from typing import Any, Final, Protocol

_BOOSTS: Final = {
    "": 0.1,  # the changelog, benchmarks, hostile cases and the like mention nearly every word
    "index.md": 4.0,
    "guides/": 4.0,
    "reference/": 2.0,
    "reference/command-line.md": 3.0,
    "reference/index.md": 0.5,
    "documents/": 0.5,
    "rules/": 0.5,
    "coming-from/": 1.0,
}
"""By the beginning of a page's path; the longest one decides."""


class _File(Protocol):
    src_uri: str


class _Page(Protocol):
    file: _File
    meta: dict[str, Any]


def on_page_markdown(markdown: str, *, page: _Page, **_: object) -> str:
    """Set the boost of a page, unless the page sets one itself."""
    start = max(filter(page.file.src_uri.startswith, _BOOSTS), key=len)
    page.meta.setdefault("search", {"boost": _BOOSTS[start]})
    return markdown
