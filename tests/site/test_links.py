"""Each link of the site leads to a page that is there, and to a place on it."""

from dataclasses import dataclass, field
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

from dreg_client.errors.problems import SITE
from dreg_client.schemagen import rules


@dataclass
class Places:
    """What a page can be asked for, and what it asks for."""

    ids: set[str] = field(default_factory=set[str])
    links: list[str] = field(default_factory=list[str])


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.places = Places()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the ids and the addresses of an element."""
        found = dict(attrs)
        self.places.ids |= {value for name in ("id", "name") if (value := found.get(name))}
        if tag != "link" or found.get("rel") != "canonical":
            self.places.links += [value for name in ("href", "src") if (value := found.get(name))]


@cache
def places(file: Path) -> Places:
    reader = _Reader()
    reader.feed(file.read_text("utf-8"))
    reader.close()
    return reader.places


def broken(site: Path, file: Path, link: str) -> bool:
    """Whether a link of a page leads nowhere within the site."""
    parts = urlsplit(link)
    if parts.scheme:
        return parts.scheme not in {"https", "mailto", "data"}
    base = site if parts.path.startswith("/") else file.parent
    path = unquote(parts.path).removeprefix("/")
    target = (base / path).resolve() if path else file
    if target.is_dir():
        target = target / "index.html"
    if not target.is_file():
        return True
    return bool(parts.fragment) and target.suffix == ".html" and unquote(parts.fragment) not in places(target).ids


def test_each_link_leads_somewhere(built: Path) -> None:
    pages = [page for page in built.rglob("*.html") if page.name != "404.html"]
    lost = [
        f"{page.relative_to(built)}: {link}"
        for page in pages
        for link in places(page).links
        if broken(built, page, link)
    ]

    assert len(pages) > 50
    assert lost == []


def test_the_address_that_a_report_names_is_on_the_site(built: Path) -> None:
    for rule in rules().values():
        path, _, place = rule.url.removeprefix(SITE).partition("#")

        assert place in places(built / path / "index.html").ids


def test_each_page_is_in_the_search(built: Path) -> None:
    index = (built / "search/search_index.json").read_text("utf-8")

    for rule in rules():
        assert f"#{rule.lower()}" in index
