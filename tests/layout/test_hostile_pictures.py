"""Images whose every text is a stranger's: on a page it stays text, and all of it is seen."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from dreg_client.images.html import picture
from dreg_client.images.html.text import LONGEST

if TYPE_CHECKING:
    from tests.layout.conftest import Page

Json = dict[str, Any]
Reader = Callable[[str], "Page"]

PAYLOADS = (
    "<script>alert(1)</script>",
    "</style></title></textarea><img src=x onerror=alert(1)>",
    '" onmouseover="alert(1)" x=\'',
    "' style='background:url(//evil.example)' id=a",
    "javascript:alert(1)",
    'https://evil.example/" onclick="alert(1)',
    "--> <!-- <![CDATA[ ]]> <?php ?> &lt; &#60; &amp;",
    "\u202egnp.exe\u2066\u200b\x00\x1b[31m\x85\ud800\r\n\t\u2028",
    "\u0301" * 50 + "word" * 5000,
)


def poisoned(value: Any, poison: str, *, names: bool = False) -> Any:
    """The same with another text in place of each, and of the names of labels and annotations."""
    if isinstance(value, str):
        return poison
    if isinstance(value, list):
        return [poisoned(member, poison) for member in value]
    if not isinstance(value, dict):
        return value
    return {
        f"{poison}{place}" if names else name: poisoned(member, poison, names=name in {"labels", "annotations"})
        for place, (name, member) in enumerate(value.items())
    }


@pytest.mark.parametrize("whole_page", [True, False])
@pytest.mark.parametrize("poison", PAYLOADS)
@pytest.mark.parametrize("kind", ["full_seen", "artifact_seen"])
def test_a_strangers_text_becomes_no_tag_and_no_attribute(
    request: pytest.FixtureRequest, kind: str, poison: str, whole_page: bool, read_page: Reader
) -> None:
    seen = request.getfixturevalue(kind)
    plain = read_page(picture(poisoned(seen, "x"), whole_page=whole_page))
    page = read_page(picture(poisoned(seen, poison), whole_page=whole_page))
    marks = ("span", "wbr", "a")  # what is spelled out, where a name may break, and a link to an address

    assert [drawn for drawn in shape(page) if drawn[0] not in marks] == [
        drawn for drawn in shape(plain) if drawn[0] not in marks
    ]
    assert not page.comments
    assert {name for it in page.elements for name in it.attributes} == {
        name for it in plain.elements for name in it.attributes
    } | ({"href", "rel"} if page.all("a") else set())
    assert all((element.attributes.get("class") or "dim") in CLASSES_OF_SPANS for element in page.all("span"))


CLASSES_OF_SPANS = {"amount", "axis", "chart", "chart stack", "cut", "dim", "kind", "label", "odd", "mark own"}
CLASSES_OF_SPANS |= {f"mark c{place}" for place in range(6)}


def shape(page: "Page") -> list[tuple[str, str | None]]:
    return [(element.tag, element.attributes.get("class")) for element in page.elements]


@pytest.mark.parametrize("poison", PAYLOADS)
def test_what_has_no_picture_is_spelled_out(full_seen: Json, poison: str) -> None:
    text = picture(poisoned(full_seen, poison))

    assert text.replace("\n", "").isprintable()
    text.encode("utf-8")


def test_what_is_spelled_out_is_marked(multi_seen: Json, read_page: Reader) -> None:
    page = read_page(picture({**multi_seen, "annotations": {"a": "safe\u202etxt.exe", "b": r"safe\u202etxt.exe"}}))

    assert [odd.text for odd in page.classed("odd")] == [r"\u202e"]


def test_a_long_text_is_cut_and_its_length_said(multi_seen: Json, read_page: Reader) -> None:
    page = read_page(picture({**multi_seen, "annotations": {"long": "<" * 1_048_576}}))
    cell = page.classed("cut")

    assert [cut.text for cut in cell] == ["… truncated, 1,048,576 characters in total"]
    assert page.all("main")[0].text.count("<") == LONGEST


@pytest.mark.parametrize(
    "url",
    ["javascript:alert(1)", "http://a.example/", "//a.example", "https://a b", "https://a/\u202e", " https://a", ""],
)
def test_only_an_https_address_becomes_a_link(multi_seen: Json, url: str, read_page: Reader, problem: Json) -> None:
    page = read_page(picture({**multi_seen, "problems": [{**problem, "url": url}]}))

    assert not page.all("a")
    assert "DSC-02" in page.classed("problems")[0].text


def test_an_address_with_quotes_stays_one_address(multi_seen: Json, read_page: Reader, problem: Json) -> None:
    url = "https://a.example/\"onclick='x'<b>&lt;"
    page = read_page(picture({**multi_seen, "problems": [{**problem, "url": url}]}))

    assert [link.attributes for link in page.all("a")] == [{"href": url, "rel": "noopener noreferrer"}]
