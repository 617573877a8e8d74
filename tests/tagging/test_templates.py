"""Templates make tags of tags; ages are read; matches choose tags."""

import re
from datetime import timedelta
from typing import Any

import pytest

from dreg_client import TagFilter
from dreg_client.tagging.ages import age, age_text
from dreg_client.tagging.matching import Matching
from dreg_client.tagging.templates import Template


@pytest.mark.parametrize(
    ("template", "tag", "made"),
    [
        ("{major}.{minor}", "1.4.2", "1.4"),
        ("v{major}", "v1.4.2-rc1", "v1"),
        ("{version}-slim", "v1.4.2-rc1", "1.4.2-rc1-slim"),
        ("{major}-{prerelease}", "1.4.2-rc.1", "1-rc.1"),
        ("{major}.{minor}", "2024.04.09", "2024.04"),
        ("backup-{tag}", "latest", "backup-latest"),
        ("latest", "anything", "latest"),
        ("{major}.{minor}", "1.4", None),
        ("{major}", "latest", None),
        ("{major}-{prerelease}", "1.4.2", None),
        ("{major}", "1.4.2.1", None),
        ("{major}", "V1.4.2", None),
    ],
)
def test_a_template_makes_a_tag_of_a_tag_that_has_all_its_fields(template: str, tag: str, made: str | None) -> None:
    assert Template(template).made_of(tag) == made


def test_groups_of_a_regular_expression_are_fields_by_name_and_number() -> None:
    matching = Matching.of(re.compile(r"(?P<release>\d+\.\d+)-(rc|beta)(\d+)?"))
    template = Template("{release}-{2}", matching.group_names)

    assert template.made_of("1.4-rc1", matching.groups("1.4-rc1")) == "1.4-rc"
    assert Template("{3}", matching.group_names).made_of("1.4-rc", matching.groups("1.4-rc")) is None


def test_a_group_is_preferred_to_a_part_of_a_version() -> None:
    matching = Matching.of(TagFilter(regex=r"(?P<major>[a-z]+)-.*"))

    assert Template("{major}", matching.group_names).made_of("web-1", matching.groups("web-1")) == "web"


@pytest.mark.parametrize(
    ("template", "problem"),
    [
        ("{release}", "unknown field"),
        ("{1}", "unknown field"),
        ("{0}", "unknown field"),
        ("{}", "unknown field"),
        ("{tag.__class__}", "unknown field"),
        ("{tag[0]}", "unknown field"),
        ("{major!r}", "takes no format code"),
        ("{major:>10000000}", "takes no format code"),
        ("{major", "is not a valid template"),
        ("{{major}}", "character that tags cannot have"),
        ("{major}:{minor}", "character that tags cannot have"),
        ("{major}/é", "character that tags cannot have"),
        ("-{major}", "makes no valid tag"),
        (".{major}", "makes no valid tag"),
        ("", "makes no valid tag"),
        ("x" * 129, "makes no valid tag"),
        ("{major}" * 400, "is too long"),
    ],
)
def test_a_template_that_cannot_make_a_tag_is_rejected_when_it_is_given(template: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        Template(template)


def test_a_template_must_be_text() -> None:
    with pytest.raises(TypeError, match="a template must be a str"):
        Template(14)  # type: ignore[arg-type]


@pytest.mark.parametrize("given", ["36h", timedelta(hours=36)])
def test_an_age_is_text_or_a_timedelta(given: Any) -> None:
    assert age(given) == timedelta(hours=36)
    assert age_text(age(given)) == "36h"


@pytest.mark.parametrize(
    "given",
    [
        "14",
        "d",
        "-1d",
        "0d",
        "1.5d",
        "14 d",
        "14D",
        "1m",
        "9" * 7 + "h",
        "٣d",
        "999999w",
        timedelta(0),
        timedelta(days=-1),
    ],
)
def test_other_ages_are_rejected(given: Any) -> None:
    with pytest.raises(ValueError, match="is not an age"):
        age(given)


def test_a_number_is_not_an_age() -> None:
    with pytest.raises(TypeError, match="a timedelta, or a str such as '14d'"):
        age(14)  # type: ignore[arg-type]


TAGS = ["1.4", "1.4.2", "1.5.0-rc1", "nightly-1", f"sha256-{64 * 'a'}.sig", f"sha256-{64 * 'a'}"]


@pytest.mark.parametrize(
    ("match", "semver", "chosen"),
    [
        (None, None, ["1.4", "1.4.2", "1.5.0-rc1", "nightly-1"]),
        ("1.*", None, ["1.4", "1.4.2", "1.5.0-rc1"]),
        (["1.4", "nightly-*"], None, ["1.4", "nightly-1"]),
        (re.compile(r"\d\.\d"), None, ["1.4"]),
        (re.compile(r"NIGHTLY-.", re.IGNORECASE), None, ["nightly-1"]),
        (TagFilter(exclude=("1.*",)), None, ["nightly-1"]),
        (lambda tag: tag.endswith("1"), None, ["1.5.0-rc1", "nightly-1"]),
        ("1.4*", ">=1.4.1", ["1.4.2"]),
        (None, "*", ["1.4", "1.4.2"]),
    ],
)
def test_a_match_chooses_tags_but_never_digest_tags(match: Any, semver: str | None, chosen: list[str]) -> None:
    assert Matching.of(match, semver).chosen(TAGS) == chosen


def test_what_cannot_choose_tags_is_rejected() -> None:
    for match in (14, [], [14]):
        with pytest.raises(TypeError, match="match= takes a glob"):
            Matching.of(match)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="semver= was given twice"):
        Matching.of(TagFilter(semver="^1"), "^2")
    with pytest.raises(ValueError, match="is not a version range"):
        Matching.of("*", "one")
