"""An image as a page: all of it is there, to scale, and the page asks for nothing and disturbs nothing."""

import copy
import re
from collections.abc import Callable, Iterator
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from dreg_client import DockerArchive, Layout
from dreg_client._sync.image_view import view
from dreg_client.images.html import picture

if TYPE_CHECKING:
    from tests.layout.conftest import Page

Json = dict[str, Any]
Reader = Callable[[str], "Page"]

TEMPLATES = files("dreg_client.images.html") / "templates"
STYLE = (TEMPLATES / "picture.css").read_text("utf-8")
PAGE_STYLE = (TEMPLATES / "page.css").read_text("utf-8")
VOID = {"meta", "wbr"}
TAGS = set(
    "a b body code dd details div dl dt h1 h2 h3 h4 h5 h6 head header html i li main p section small span strong style "
    "summary table tbody td th thead title tr ul".split()
)
ATTRIBUTES = {"aria-hidden", "charset", "class", "content", "href", "http-equiv", "lang", "name", "open", "rel"}
ATTRIBUTES |= {"scope", "style", "title"}
STYLED = re.compile(r"--from:[0-9.]+%;--wide:([0-9.]+)%")
OTHER_WORDS = {"annotations", "comment", "created", "createdBy", "mediaType", "severity", "url"}
LARGEST = 2**63 - 1


def told(value: object) -> Iterator[str]:
    """Each text of what is seen, but for what a page says in other words."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for member in value:
            yield from told(member)
    elif isinstance(value, dict):
        for name, member in value.items():
            if name not in OTHER_WORDS:
                yield from told(member)


def sized(seen: Json, *sizes: int) -> Json:
    """The same image, of one platform, its layers as large as is said."""
    image = copy.deepcopy(seen["images"][0])
    layer = image["layers"][0]
    image["layers"] = [{**layer, "digest": f"sha256:{place:064}", "size": size} for place, size in enumerate(sizes)]
    return {**seen, "platforms": seen["platforms"][:1], "images": [image], "attestations": []}


def widths(page: "Page", *, of_layers: bool = False) -> list[float]:
    """The widths of bars in percent: those of a platform in a row, or one in each line of a layer."""
    bars = [bar for bar in page.classed("bar") if ("summary" in bar.above) != of_layers]
    return [float(found[1]) for bar in bars if (found := STYLED.fullmatch(bar.attributes["style"] or ""))]


# --- a page


@pytest.mark.parametrize("whole_page", [True, False])
def test_a_picture_is_well_formed_and_of_known_parts(full_seen: Json, whole_page: bool, read_page: Reader) -> None:
    page = read_page(picture(full_seen, whole_page=whole_page))

    assert {element.tag for element in page.elements} <= TAGS | VOID
    assert {name for element in page.elements for name in element.attributes} <= ATTRIBUTES
    assert not page.comments


@pytest.mark.parametrize("name", ["1.4", "single", "nested", "artifact"])
def test_whatever_a_tag_names_is_drawn(fixtures: Path, name: str, read_page: Reader) -> None:
    with Layout(fixtures / "layouts" / "multi") as layout:
        page = read_page(picture(view(layout, name)))

    assert page.all("h1")[0].text == f"{fixtures}/layouts/multi:{name}"
    assert widths(page, of_layers=True)


def test_images_of_windows_and_of_archives_are_drawn(fixtures: Path, read_page: Reader) -> None:
    with Layout(fixtures / "layouts" / "windows") as layout:
        windows = read_page(picture(view(layout, "")))
    with DockerArchive(fixtures / "archives" / "web.docker.tar") as archive:
        saved = read_page(picture(view(archive, "")))

    assert "windows(10.0.17763.5830)/amd64" in windows.all("main")[0].text
    assert "this digest exists in no registry" in saved.all("header")[0].text


def test_a_page_says_its_language_its_title_and_what_it_may_load(multi_seen: Json, read_page: Reader) -> None:
    text = picture(multi_seen)
    page = read_page(text)
    metas = {meta.attributes.get("http-equiv") or meta.attributes.get("name"): meta for meta in page.all("meta")}

    assert text.startswith("<!DOCTYPE html>\n")
    assert page.all("html")[0].attributes["lang"] == "en"
    assert page.all("title")[0].text.endswith("multi:1.4")
    policy = metas["Content-Security-Policy"].attributes["content"]
    assert policy == "default-src 'none'; style-src 'unsafe-inline'"
    assert metas["viewport"].attributes["content"] == "width=device-width, initial-scale=1"


@pytest.mark.parametrize("whole_page", [True, False])
def test_headings_skip_no_level(full_seen: Json, whole_page: bool, read_page: Reader) -> None:
    levels = [int(heading.tag[1]) for heading in read_page(picture(full_seen, whole_page=whole_page)).headings()]

    assert levels[0] == (1 if whole_page else 3)
    assert min(levels[1:]) > levels[0]
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_each_header_of_a_table_says_what_it_heads(full_seen: Json, read_page: Reader) -> None:
    headers = read_page(picture(full_seen)).all("th")

    assert {header.attributes["scope"] for header in headers if "thead" in header.above} == {"col"}
    assert {header.attributes["scope"] for header in headers if "tbody" in header.above} == {"row"}


def test_what_is_seen_is_on_the_page(full_seen: Json, read_page: Reader) -> None:
    text = read_page(picture(full_seen)).all("main")[0].text

    assert [each for each in told(full_seen) if each not in text] == []


def test_labels_and_annotations_are_tables(full_seen: Json, read_page: Reader) -> None:
    seen = copy.deepcopy(full_seen)
    seen["images"][0]["labels"] = {"one": "1"}
    seen["images"][0]["annotations"] = {"two": "2"}
    page = read_page(picture(seen))
    rows = [row.text for row in page.all("tr")]

    assert {"one1", "two2", *map("".join, seen["annotations"].items())} <= set(rows)


def test_steps_that_left_no_layer_are_told_apart(multi_seen: Json, read_page: Reader) -> None:
    page = read_page(picture(multi_seen))

    assert len(page.classed("none")) == sum(
        not step["digest"] for image in multi_seen["images"] for step in image["history"]
    )
    assert all("no layer" in step.text for step in page.classed("none"))


def test_what_stands_on_the_page_is_not_repeated(multi_seen: Json, read_page: Reader) -> None:
    page = read_page(picture(multi_seen))
    told = [element.text for element in page.classed("same")]

    assert "Annotations (5): same as the annotations of the index" in told
    assert len(page.classed("pairs")) == 1


# --- sizes


def test_widths_are_in_proportion_to_sizes(multi_seen: Json, read_page: Reader) -> None:
    page = read_page(picture(sized(multi_seen, 100, 300, 600)))

    assert widths(page) == widths(page, of_layers=True) == [10, 30, 60]


def test_all_images_have_one_scale(multi_seen: Json, read_page: Reader) -> None:
    page = read_page(picture(multi_seen))
    sizes = [step["size"] for image in multi_seen["images"] for step in image["layers"]]
    largest = max(image["size"] for image in multi_seen["images"])

    assert widths(page) == [pytest.approx(100 * size / largest, abs=1e-4) for size in sizes]


def test_a_layer_that_platforms_share_has_one_letter_and_is_counted_once(multi_seen: Json, read_page: Reader) -> None:
    page = read_page(picture(multi_seen))
    base = [step for step in page.classed("row") if "ADD file" in step.text]

    assert len(base) == 3
    assert {mark.text for mark in page.classed("mark") if not mark.has("own")} == {"A"}
    assert "1.1 KiB total size1.6 KiB without sharing" in page.classed("figures")[0].text


@pytest.mark.parametrize("sizes", [(), (0,), (0, 0), (LARGEST,), (LARGEST, 0, 1), (LARGEST,) * 100])
def test_any_size_can_be_drawn(multi_seen: Json, sizes: tuple[int, ...], read_page: Reader) -> None:
    page = read_page(picture(sized(multi_seen, *sizes)))
    drawn = widths(page)

    assert len(drawn) == len(sizes)
    assert all(0 <= width <= 100 for width in drawn)
    assert sum(drawn) <= 100.1


def test_an_empty_layer_is_a_sliver_by_the_style() -> None:
    assert "width:max(var(--wide),3px)" in STYLE
    assert "left:min(var(--from),100% - 3px)" in STYLE


def test_a_bar_names_its_layer(multi_seen: Json, read_page: Reader) -> None:
    bar = read_page(picture(sized(multi_seen, 1536))).classed("bar")[0]

    assert (bar.attributes["title"] or "").startswith("1.5 KiB, sha256:000000000000 ADD file:")


@pytest.mark.parametrize(("layers", "is_open"), [(20, True), (60, False)])
def test_layers_are_folded_if_they_do_not_fit_on_two_screens(
    multi_seen: Json, layers: int, is_open: bool, read_page: Reader
) -> None:
    page = read_page(picture(sized(multi_seen, *[1] * layers)))

    assert [("open" in fold.attributes) for fold in page.all("details") if "ul" in fold.above] == [is_open]


def test_platforms_after_the_twelfth_are_folded(multi_seen: Json, read_page: Reader) -> None:
    page = read_page(picture({**multi_seen, "images": multi_seen["images"][:1] * 14}))
    folds = [fold for fold in page.all("details") if "2 more platforms" in fold.text]

    assert ["open" in fold.attributes for fold in folds] == [False, False]


# --- what is no image, and what is wrong


def test_an_artifact_is_drawn_as_its_config_and_its_layers(artifact_seen: Json, read_page: Reader) -> None:
    page = read_page(picture(artifact_seen))
    rows = [row.text for row in page.classed("row")]

    assert "platform" not in page.classed("figures")[0].text
    assert any(row.startswith("config 44136fa355b3") and row.endswith("2 B") for row in rows)
    assert any("web-1.4.sbom.json" in row and row.endswith("186 B") for row in rows)


def test_an_index_of_nothing_is_drawn(multi_seen: Json, read_page: Reader) -> None:
    page = read_page(picture({**multi_seen, "platforms": [], "images": [], "attestations": [], "annotations": {}}))

    assert "0 layers" in page.classed("figures")[0].text
    assert not page.classed("bar")


def test_problems_stand_by_document_with_a_link_to_their_rule(full_seen: Json, read_page: Reader) -> None:
    page = read_page(picture(full_seen))
    section = page.classed("problems")[0]

    assert [heading.text for heading in page.classed("subtitle")][:2] == ["the index", "linux/amd64"]
    assert "found 'sha256:', expected a digest" in section.text
    assert "1 error, 1 warning" in page.all("header")[0].text
    assert [(link.text, link.attributes["rel"]) for link in page.all("a")] == [
        ("DSC-02", "noopener noreferrer"),
        ("MAN-08", "noopener noreferrer"),
    ]


@pytest.mark.parametrize(("problems", "said"), [([], True), (None, False)])
def test_without_problems_there_is_no_section_of_them(
    multi_seen: Json, problems: list[Json] | None, said: bool, read_page: Reader
) -> None:
    others = {name: value for name, value in multi_seen.items() if name != "problems"}
    page = read_page(picture(others if problems is None else {**others, "problems": problems}))

    assert not page.classed("problems")
    assert ("problemsnone" in page.all("header")[0].text) == said


# --- nothing is loaded, nothing is disturbed


def test_a_page_loads_nothing(full_seen: Json, read_page: Reader, problem: Json) -> None:
    page = read_page(picture(full_seen))
    written = [value or "" for element in page.elements for value in element.attributes.values()]
    style = "".join(element.text for element in page.all("style"))

    assert [value for value in written if "//" in value] == [problem["url"]] * 2
    assert not re.search(r"url\s*\(|@import|@font-face|image-set|src|//|expression|<", style, re.IGNORECASE)
    assert not {"script", "link", "img", "iframe", "object", "base", "form"} & {it.tag for it in page.elements}


def test_the_style_of_a_fragment_holds_below_its_class(multi_seen: Json, read_page: Reader) -> None:
    page = read_page(picture(multi_seen, whole_page=False))
    style = page.all("style")[0].text
    rules = re.sub(r"@media[^{]*\{", "", style)
    selectors = [one.strip(" \n}") for found in re.findall(r"([^{}]+)\{", rules) for one in found.split(",")]

    assert PAGE_STYLE not in style
    assert len(selectors) > 50
    assert [selector for selector in selectors if not re.match(r"\.dreg-picture(?![\w-])", selector)] == []


def test_fragments_share_a_page(multi_seen: Json, read_page: Reader) -> None:
    one = picture(multi_seen, whole_page=False)
    page = read_page(f"<main>{one}{one}</main>")

    assert not {"html", "head", "body", "title", "meta", "main"} & {element.tag for element in page.elements[1:]}
    assert not any("id" in element.attributes for element in page.elements)
    assert [element.attributes.get("class") for element in page.elements if element.above == ("main",)] == [
        "dreg-picture",
        "dreg-picture",
    ]


def test_a_picture_leaves_what_it_draws_as_it_was(full_seen: Json) -> None:
    before = copy.deepcopy(full_seen)

    assert picture(full_seen) == picture(full_seen)
    assert full_seen == before


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_text_has_contrast(scheme: int) -> None:
    colours = [dict(re.findall(r"--(\w+):(#[0-9a-f]{6})", part)) for part in STYLE.split("@media")[:2]][scheme]
    texts = ["ink", "dim", "link", "odd", "error", "warning", "note", *(f"c{place}" for place in range(6))]

    assert {
        name: contrast(colours[name], colours["paper"])
        for name in texts
        if contrast(colours[name], colours["paper"]) < 4.5
    } == {}
    assert contrast(colours["own"], colours["paper"]) >= 3  # a bar, no text


def contrast(one: str, other: str) -> float:
    """WCAG 2.2, "contrast ratio"."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
