"""Rules over the tags of a hostile registry, and policies that are hostile themselves."""

import re
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from dreg_client.errors import ConfigError, ConflictError
from dreg_client.tagging.policy import TagPolicy
from dreg_client.tagging.retag import Promote, Retag
from dreg_client.tagging.rule import Rule
from dreg_client.tagging.rules import Prune
from tests.commands import run_limited
from tests.tagging.rules import Images, digest, removed, set_tags

ENTRY = "[[policy]]\nrepositories = ['oci:x']\n[[policy.rules]]\naction = 'untag'\n"


def policy_rule(regex: str) -> Rule:
    """Return the rule of a policy that untags the tags that an expression matches."""
    assert find_spec("regex"), "without the library regex of the extra cli, these expressions take years"
    return TagPolicy.parse(f"{ENTRY}regex = '{regex}'").policy[0].tag_rules()[0]


def test_tag_40_a_regular_expression_that_takes_years_for_a_tag_is_an_error() -> None:
    with pytest.raises(ConfigError, match=r"takes too long for the tag a+\.; do not nest repetitions"):
        Images({"a" * 127 + ".": "x"}).plan(policy_rule("(a|aa)+b?c?"))


@pytest.mark.parametrize("regex", [r"(\w+\d*)*x", "(.*.*)*-$", "(a+)+b", "(a|b|ab)*", r"(([a-z])+.)+[A-Z]([a-z])+"])
@pytest.mark.parametrize("tag", ["a" * 127 + ".", "ab" * 64, "a" * 64 + "-" + "a" * 63])
def test_tag_40_no_regular_expression_takes_longer_than_a_few_seconds(regex: str, tag: str) -> None:
    begin = time.process_time()

    with suppress(ConfigError):
        Images({tag: "x"}).plan(policy_rule(regex))

    assert time.process_time() - begin < 10


@pytest.mark.parametrize("made", ["-rc1", ".hidden", "x" * 129])
def test_tag_41_no_template_makes_a_tag_that_is_not_valid(made: str) -> None:
    """Only the group of an expression can make one, as the tags decide what it matches."""
    tag = f"v{made}"[:128]
    match = re.compile("v(.*)")

    planned = Images({tag: "a", "vgood": "b"}).plan(
        Retag.of(match, "{1}{1}"), Promote.of(match, into="oci:x", template="{1}{1}")
    )

    assert [*set_tags(planned)] == [it.tag for it in planned.difference().promotions] == ["goodgood"]
    assert [*planned.failures] == [tag]
    assert "which is not a tag" in planned.failures[tag]


@pytest.mark.parametrize(
    "template", ["{tag.__init__.__globals__}", "{tag!r}", "{tag:>999999999}", "{0}", "{tag[0]}", "{{x}}"]
)
def test_tag_41_a_template_reads_no_attributes_and_takes_no_format_codes(template: str) -> None:
    with pytest.raises(ValueError, match=r"unknown field|format code|cannot have"):
        Retag.of("*", template)


RULES: list[Callable[[], Rule]] = [
    lambda: Retag.of("*", "all", semver="*"),
    lambda: Prune.of("*", keep_last=10, older_than="14d"),
    lambda: Prune.of("*", keep_last=10, by="version", images="all"),
]


@pytest.mark.parametrize("rule", RULES, ids=range(len(RULES)))
def test_tag_42_very_many_tags_take_seconds(rule: Callable[[], Rule]) -> None:
    tags = {f"{number % 50}.{number // 50 % 100}.{number // 5000}": f"{number % 2000}" for number in range(30_000)}
    images, made = Images(tags, {f"{number}": number / 50 for number in range(2000)}), rule()

    begin = time.process_time()
    planned = images.plan(made)
    planned.difference()

    assert time.process_time() - begin < 20


@pytest.mark.parametrize(
    "tag", ["9" * 128, "9" * 40 + ".0.0", "1.0.0-" + "9" * 100, "1." + "0" * 126, "00.00.00", "1.2.3-01"]
)
def test_tag_43_huge_numbers_in_versions_are_compared_or_are_not_versions(tag: str) -> None:
    images = Images({tag: "a", "1.0.0": "b", "999999999999999999.0.0": "c"})

    planned = images.plan(Retag.of(None, "latest", semver="*"), Prune.of("*", keep_last=1, by="version"))

    assert set_tags(planned) == {"latest": digest("c")}
    assert "999999999999999999.0.0" not in removed(planned)


@pytest.mark.parametrize(
    "text",
    [
        "a = " + "[" * 100_000,
        "a = " + "{a = " * 5000,
        ".".join("a" * 5000) + " = 1",
        "[" + ".".join("a" * 500_000) + "]",
        " . ".join(['""', "'a'"] * 50_000) + " = 1",
        ("a." * 199 + "b = 1\n") * 2000,
        '"' * 500_000,
        "a" * 500_000 + " " * 500_000,
        ("a" + " " * 100) * 9000,
        "a = 1" + "0" * 1_000_000,
        ENTRY + "regex = '" + "(" * 1000 + ")" * 1000 + "'",
        ENTRY + "regex = 'a{99999999999}'",
        ENTRY + "regex = '" + "a" * 100_000 + "'",
        ENTRY + "include = ['" + "*" * 2000 + "']",
        ENTRY + "semver = '" + " || ".join(["1"] * 1000) + "'",
        ENTRY.replace("untag", "retag") + "to = '" + "{tag}" * 1000 + "'",
        ENTRY.replace("untag", "prune") + "older-than = '" + "9" * 100_000 + "d'",
        ENTRY.replace("untag", "prune") + "keep-last = -9223372036854775808",
        "policy = [" + "{}," * 100_000 + "]",
    ],
    ids=range(19),
)
def test_tag_44_a_bomb_in_toml_is_an_error_of_one_line(text: str, tmp_path: Path) -> None:
    (tmp_path / "tags.toml").write_text(text)
    code = (
        "import sys, pathlib, dreg_client.errors as errors\n"
        "from dreg_client.tagging.policy import TagPolicy\n"
        "try: TagPolicy.parse(pathlib.Path(sys.argv[1]).read_text(), 'tags.toml')\n"
        "except errors.ConfigError as failure: print(failure)\n"
    )

    done = run_limited([sys.executable, "-c", code, tmp_path / "tags.toml"], capture_output=True, text=True)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("tags.toml is not ")
    assert len(done.stdout) < 2500


def test_tag_45_images_that_claim_the_same_date_are_not_ordered_by_chance() -> None:
    same: dict[str, Any] = {"a": 1.0, "b": 1.0}

    with pytest.raises(ConflictError, match="not known which one is the newest"):
        Images({"main-1": "a", "main-2": "b"}, same).plan(Retag.of("main-*", "main"))
    first = removed(Images({"main-1": "a", "main-2": "b"}, same).plan(Prune.of("*", keep_last=1)))
    assert first == removed(Images({"main-2": "b", "main-1": "a"}, same).plan(Prune.of("*", keep_last=1)))


def test_tag_46_an_image_from_the_future_is_not_old_and_one_from_the_past_is_unknown() -> None:
    images = Images({"future": "f", "epoch": "e", "old": "o"}, {"f": -9000, "e": 20_000, "o": 30})

    planned = images.plan(Prune.of("*", older_than="14d"))

    assert removed(planned) == ["old"]
    assert [it.tag for it in planned.reports] == ["epoch"]
