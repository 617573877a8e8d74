"""The sums of a validation as a page: all of them are there, and a stranger's text stays text."""

import re
from collections.abc import Callable
from importlib.resources import files
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from dreg_client.images.html import report_page
from tests.layout.test_hostile_pictures import PAYLOADS, poisoned, shape
from tests.layout.test_picture import ATTRIBUTES, OTHER_WORDS, TAGS, VOID, told

if TYPE_CHECKING:
    from tests.layout.conftest import Page

Json = dict[str, Any]
Reader = Callable[[str], "Page"]
STYLE = (files("dreg_client.images.html") / "templates" / "report.css").read_text("utf-8")


def rule(name: str, severity: str, documents: int, line: int | None = 7) -> Json:
    problem = {
        "rule": name,
        "severity": severity,
        "path": f"$.{name}",
        "found": f"found by {name}",
        "expected": f"expected by {name}",
        "clause": f"clause of {name}",
        "url": f"https://rules.example/#{name}",
    }
    example = {
        "source": f"s3://bucket/{name}.parquet",
        "line": line,
        "digest": f"sha256:{documents:064}",
        "problem": problem,
    }
    url = problem["url"]
    return {"rule": name, "severity": severity, "url": url, "documents": documents, "problems": 9, "example": example}


SUMS: Json = {
    "sources": ["reports/one", "reports/two"],
    "files": 12,
    "documents": 1_000_000,
    "valid": 999_990,
    "invalid": 10,
    "withWarnings": 5,
    "size": 1_200_000_000,
    "kinds": [{"kind": "oci-manifest", "documents": 999_000}, {"kind": None, "documents": 1_000}],
    "rules": [rule("MAN-07", "error", 10), rule("ANN-01", "warning", 5, None), rule("GEN-09", "note", 1)],
    "failed": [{"partition": "s3://bucket/cut.parquet", "reason": "ends early"}],
    "failedOmitted": 3,
    "unread": [{"source": "reports/damaged.parquet", "error": "FileError", "exitCode": 5, "message": "is damaged"}],
    "unreadOmitted": 0,
}
NOTHING: Json = {**SUMS, "kinds": [], "rules": [], "failed": [], "failedOmitted": 0, "unread": []}
NOTHING |= dict.fromkeys(["documents", "valid", "invalid", "withWarnings", "size"], 0)


@pytest.mark.parametrize("sums", [SUMS, NOTHING], ids=["some", "none"])
def test_a_report_is_well_formed_and_of_known_parts(sums: Json, read_page: Reader) -> None:
    page = read_page(report_page(sums))

    assert {element.tag for element in page.elements} <= TAGS | VOID
    assert {name for element in page.elements for name in element.attributes} <= ATTRIBUTES | {"id"}
    assert not page.comments


def test_all_sums_are_on_the_page(read_page: Reader) -> None:
    text = read_page(report_page(SUMS)).all("main")[0].text
    others = OTHER_WORDS - {"severity"} | {"error", "source"}  # `source` stands before the line

    assert [each for each in told(SUMS) if each not in text and each not in others | {"FileError"}] == []
    for number in ("1,000,000", "999,990", "999,000", "1.1 GiB", "12 files", "over 99.9%", "4 partitions"):
        assert number in text
    assert "s3://bucket/MAN-07.parquet:7" in text
    assert "s3://bucket/ANN-01.parquet:" not in text


def test_a_page_loads_nothing_and_has_no_script(read_page: Reader) -> None:
    text = report_page(SUMS)

    assert "default-src 'none'; style-src 'unsafe-inline'" in text
    assert not read_page(text).all("script")
    assert "url(" not in text
    assert "@import" not in text


def test_headings_skip_no_level_and_tables_have_headers(read_page: Reader) -> None:
    page = read_page(report_page(SUMS))
    levels = [int(heading.tag[1]) for heading in page.headings()]

    assert levels[0] == 1
    assert all(1 < after <= before + 1 for before, after in pairwise(levels))
    assert {header.attributes["scope"] for header in page.all("th") if "tbody" in header.above} == {"row"}


def test_each_rule_of_the_table_leads_to_its_example(read_page: Reader) -> None:
    page = read_page(report_page(SUMS))
    targets = [link.attributes["href"] for link in page.all("a") if (link.attributes["href"] or "").startswith("#")]

    assert targets == [f"#{item.attributes['id']}" for item in page.all("li") if "id" in item.attributes]
    assert len(targets) == 3


def test_bars_are_as_long_as_what_they_show(read_page: Reader) -> None:
    styles = [element.attributes["style"] or "" for element in read_page(report_page(SUMS)).all("i")]
    widths = [float(found[1]) for style in styles if (found := re.fullmatch(r"--wide:([0-9.]+)%", style))]

    assert len(widths) == len(styles)
    assert widths == pytest.approx([99.999, 0.001, 99.9, 0.1, 100, 50, 10], abs=0.001)


def test_the_style_of_a_report_concerns_its_page_alone() -> None:
    rules = re.sub(r"@media[^{]*\{", "", STYLE)
    selectors = [one.strip(" \n}") for found in re.findall(r"([^{}]+)\{", rules) for one in found.split(",")]

    assert [it for it in selectors if not re.match(r"\.dreg-picture(?![\w-])", it)] == ["html"]
    assert "@media print" in STYLE


@pytest.mark.parametrize("poison", PAYLOADS)
def test_val_92_a_strangers_text_becomes_no_tag_and_no_attribute(poison: str, read_page: Reader) -> None:
    plain, page = (read_page(report_page(hostile(text))) for text in ("x", poison))
    marks = ("span", "wbr", "a")  # what is spelled out, where a name may break, and a link to an address

    assert [drawn for drawn in shape(page) if drawn[0] not in marks] == [
        drawn for drawn in shape(plain) if drawn[0] not in marks
    ]
    assert not page.comments
    assert {name for it in page.elements for name in it.attributes} <= {
        name for it in plain.elements for name in it.attributes
    } | {"href", "rel"}


def hostile(poison: str) -> Json:
    """The same sums with another text in place of each, except for severities, which are read strictly."""
    sums = poisoned(SUMS, poison)
    for found, original in zip(sums["rules"], SUMS["rules"], strict=True):
        found["severity"] = original["severity"]
    return sums


@pytest.mark.parametrize("poison", PAYLOADS)
def test_val_92_what_has_no_picture_is_spelled_out(poison: str) -> None:
    text = report_page(hostile(poison))

    assert text.replace("\n", "").isprintable()
    text.encode("utf-8")


@pytest.mark.parametrize("url", ["javascript:alert(1)", "http://a.example/", "//a.example", None])
def test_val_92_only_an_https_address_becomes_a_link(url: str | None, read_page: Reader) -> None:
    page = read_page(report_page({**SUMS, "rules": [{**SUMS["rules"][0], "url": url}]}))

    assert [link.attributes["href"] for link in page.all("a")] == ["#rule-1"]
