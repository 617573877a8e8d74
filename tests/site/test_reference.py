"""The reference lists all that is public, shows what classes inherit, and renders examples as code."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

import dreg_client
from dreg_client import errors, schemagen

STORES = {
    "registries": ("_sync.repository.Repository", "_async.repository.AsyncRepository"),
    "stores": ("_sync.layout.Layout", "_async.layout.AsyncLayout", "_sync.docker_archive.DockerArchive"),
}


class _Prose(HTMLParser):
    """The text of a page outside its blocks of code."""

    def __init__(self) -> None:
        super().__init__()
        self.text: list[str] = []
        self._blocks = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note that a block of code begins."""
        self._blocks += tag == "pre"

    def handle_endtag(self, tag: str) -> None:
        """Note that a block of code ends."""
        self._blocks -= tag == "pre"

    def handle_data(self, data: str) -> None:
        """Keep text outside blocks of code."""
        if not self._blocks:
            self.text.append(data)


def prose(page: Path) -> str:
    reader = _Prose()
    reader.feed(page.read_text("utf-8"))
    reader.close()
    return "".join(reader.text)


def test_examples_are_rendered_as_code(built: Path) -> None:
    pages = [page for page in built.rglob("*.html") if re.search(r">>>|with \w+\(.*\) as \w+:", prose(page))]

    assert pages == []


def test_the_index_lists_every_public_name(built: Path) -> None:
    index = (built / "reference/index.html").read_text("utf-8")
    names = [*dreg_client.__all__, *(f"errors.{name}" for name in vars(errors) if "Error" in name)]
    names += [f"schemagen.{name}" for name, value in vars(schemagen).items() if callable(value)]
    listed = set(re.findall(r'<a href="\w+/#[\w.]+"><code>([\w.]+)</code></a>', index))

    assert {name for name in names if {name, name.rpartition(".")[2]}.isdisjoint(listed)} == set()


@pytest.mark.parametrize(("page", "path"), [(page, path) for page, paths in STORES.items() for path in paths])
def test_a_store_shows_the_methods_that_it_inherits(built: Path, page: str, path: str) -> None:
    text = (built / f"reference/{page}/index.html").read_text("utf-8")
    own = text.partition(f'id="dreg_client.{path}"')[2]
    inherited = own.partition("Inherited from")[2].partition("</ul>")[0]

    for name in ("get_manifest", "get_image", "get_blob", "download_blob", "resolve"):
        assert f"store.{'Async' if 'Async' in path else ''}Store.{name}" in inherited
