"""The list of all pages, generated from the navigation of the site and the first heading of each page."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import yaml  # type: ignore[import-untyped]  # it comes with mkdocs; its types are another package

from documentation.pages import MARK

PAGE: Final = "all-pages.md"
_HEADING: Final = re.compile(r"^# (.+)$", re.MULTILINE)
_TOP: Final = "# All pages\n\nEvery page of this site. To look for a word instead, use the search at the top."


def all_pages(settings: Path) -> str:
    """Return the page, in Markdown: a list for each group of the navigation in `mkdocs.yml`."""
    docs = settings.parent / "docs"
    return MARK + "\n".join([_TOP, *_sections(yaml.safe_load(settings.read_text("utf-8"))["nav"], docs)]) + "\n"


def _sections(nav: Sequence[Any], docs: Path) -> Iterator[str]:
    for entry in nav:
        ((title, below),) = entry.items()
        yield f"\n## {title}\n"
        for page in [below] if isinstance(below, str) else below:
            yield from _link(page if isinstance(page, str) else next(iter(page.values())), docs)


def _link(page: str, docs: Path) -> Iterator[str]:
    heading = _HEADING.search((docs / page).read_text("utf-8")) if page != PAGE else None
    if heading is not None:
        yield f"- [{heading[1]}]({page})"
