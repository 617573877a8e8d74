"""Every page of the site, on a wide window and on a phone, by day and by night."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.site.conftest import NARROW, ROOT, WIDE

DOCS = ROOT / "docs"
PAGES = sorted(
    re.sub(r"(^|/)index$", r"\1", str(page.relative_to(DOCS).with_suffix(""))) for page in DOCS.rglob("*.md")
)
READ_CLOSELY = (
    "",
    "guides/choose-a-platform",
    "documents/oci-manifest",
    "rules/gen",
    "reference/documents",
    "reference/command-line",
    "coming-from/crane",
    "benchmarks",
)
Open = Callable[..., Any]


def url(address: str, page: str) -> str:
    return f"{address}{page}/" if page and not page.endswith("/") else f"{address}{page}"


@pytest.mark.parametrize("page", PAGES)
def test_a_page_fits_its_window_and_asks_nobody_else(address: str, visit: Open, page: str) -> None:
    visited = visit(url(address, page))

    assert visited.page.locator("h1").count() == 1
    assert visited.overflow(WIDE) == 0
    assert visited.overflow(NARROW) == 0
    assert [asked for asked in visited.asked if not asked.startswith((address, "data:", "blob:"))] == []
    assert visited.complaints == []


def test_nobody_else_is_asked_later_either(address: str, visit: Open) -> None:
    visited = visit(address, until="networkidle")

    assert f"{address}search/search_index.json" in visited.asked
    assert [asked for asked in visited.asked if not asked.startswith((address, "data:", "blob:"))] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("page", READ_CLOSELY)
def test_nothing_serious_keeps_anybody_from_reading(address: str, visit: Open, page: str, scheme: str) -> None:
    assert visit(url(address, page), scheme).barriers() == []


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_the_search_finds_a_rule_and_leads_to_it(address: str, visit: Open, width: int) -> None:
    page = visit(address, until="networkidle", width=width).page
    if width == NARROW:
        page.locator("label.md-header__button[for=__search]").click()
    page.locator("input.md-search__input").click()
    page.keyboard.type("GEN-02")
    found = page.locator("a.md-search-result__link[href*='#gen-02']").first
    found.wait_for()
    found.click()
    page.wait_for_url("**/rules/gen/**#gen-02")

    assert page.locator("#gen-02").is_visible()
    assert "GEN-02" in page.locator("#gen-02").inner_text()


def test_a_reader_may_have_it_dark(address: str, visit: Open) -> None:
    by_day, by_night = (
        visit(address, scheme).page.evaluate("getComputedStyle(document.body).backgroundColor")
        for scheme in ("light", "dark")
    )

    assert by_day != by_night


def test_a_schema_can_be_downloaded_from_its_own_address(address: str, visit: Open) -> None:
    page = visit(url(address, "documents/oci-index")).page
    link = page.locator("a[href$='oci-index.json']").first
    answer = page.request.get(f"{page.url}{link.get_attribute('href')}")

    assert answer.json()["$id"].endswith("/schemas/oci-index.json")
    assert answer.url.removeprefix(address) == "schemas/oci-index.json"
