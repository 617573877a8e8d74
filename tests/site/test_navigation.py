"""Every page is reachable: by a tab, from the home page, and from the list of all pages."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import yaml

from tests.site.conftest import ROOT
from tests.site.test_links import places

Open = Callable[..., Any]
NAV = yaml.safe_load((ROOT / "mkdocs.yml").read_text("utf-8"))["nav"]


def addresses(nav: Any) -> Iterator[str]:
    match nav:
        case str():
            yield re.sub(r"(^|/)index$", r"\1", nav.removesuffix(".md")).rstrip("/")
        case list() | dict():
            for below in nav.values() if isinstance(nav, dict) else nav:
                yield from addresses(below)


def linked(page: Path, site: Path) -> set[Path]:
    """Return the pages that a page links to."""
    links = (link.partition("#")[0] for link in places(page).links if "://" not in link)
    return {(page.parent / link / "index.html").resolve() for link in links if link.endswith(("/", "."))}


def test_the_home_page_links_to_every_page(built: Path) -> None:
    home = built / "index.html"

    assert {
        page for page in addresses(NAV) if (built / page / "index.html").resolve() not in linked(home, built)
    } == set()


def test_the_list_of_all_pages_is_complete(built: Path) -> None:
    listing = (ROOT / "docs/all-pages.md").read_text("utf-8")
    pages = {page.relative_to(ROOT / "docs").as_posix() for page in (ROOT / "docs").rglob("*.md")}

    assert {page for page in pages if f"]({page})" not in listing} == {"all-pages.md"}


def test_each_group_is_a_tab_that_is_seen_without_scrolling(address: str, visit: Open) -> None:
    tabs = visit(address).page.locator(".md-tabs__link")

    assert [tab.inner_text() for tab in tabs.all()] == [title for group in NAV for title in group]
    assert all(tab.is_visible() for tab in tabs.all())


def test_the_repository_is_linked_and_not_asked(address: str, visit: Open) -> None:
    visited = visit(address, until="networkidle")

    assert visited.page.locator("a.md-source").first.get_attribute("href").startswith("https://github.com/")
    assert [asked for asked in visited.asked if not asked.startswith((address, "data:", "blob:"))] == []
