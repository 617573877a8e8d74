"""Policies in TOML: what they say, and what is wrong with them, by entry and rule."""

import tomllib
from typing import Any

import jsonschema
import pytest

from dreg_client.errors import ConfigError
from dreg_client.schemagen import schema
from dreg_client.tagging.policy import TagPolicy
from dreg_client.tagging.retag import Promote, Retag
from dreg_client.tagging.rules import Keep, Prune
from tests.tagging.rules import Images, digest, removed, set_tags

POLICY = r"""
[[policy]]
repositories = ["localhost:5000/acme/web", "localhost:5000/team/*", "https://[::1]:5000/x/*", "oci:build/[web]"]
exclude-repositories = ["team/archive-*"]
[[policy.rules]]
action = "retag"
semver = "*"
to = "{major}.{minor}"
[[policy.rules]]
action = "keep"
include = ["latest", "v*"]
[[policy.rules]]
action = "prune"
include = ["nightly-*"]
keep-last = 10
older-than = "14d"
keep = ["latest"]
by = "created"
untagged = false
delete = true
[[policy.rules]]
action = "untag"
regex = "pr-[0-9]+"
[[policy.rules]]
action = "promote"
regex = '(?P<release>\d+\.\d+\.\d+)-rc\d+'
into = "localhost:5000/production/web"
to = "{release}"
referrers = true
"""


def test_a_policy_has_rules_in_order() -> None:
    (entry,) = TagPolicy.parse(POLICY).policy

    retag, keep, prune, untag, promote = entry.tag_rules()
    assert isinstance(retag, Retag)
    assert isinstance(keep, Keep)
    assert isinstance(prune, Prune)
    assert (prune.recent.count, prune.keep, prune.delete) == (10, ("latest",), True)
    assert isinstance(untag, Prune)
    assert not untag.delete
    assert isinstance(promote, Promote)
    assert (promote.into, promote.referrers) == ("localhost:5000/production/web", True)
    assert [str(rule) for rule in entry.tag_rules()] == [
        "retag semver * to {major}.{minor}",
        "keep latest v*",
        "prune nightly-*, keep 10, older than 14d",
        "untag /pr-[0-9]+/",
        r"promote /(?P<release>\d+\.\d+\.\d+)-rc\d+/ into localhost:5000/production/web as {release}",
    ]


def test_repositories_are_named_or_chosen_from_a_catalog() -> None:
    (entry,) = TagPolicy.parse(POLICY).policy

    assert entry.exact() == ("localhost:5000/acme/web", "oci:build/[web]")
    assert entry.catalogs() == {"localhost:5000": ("team/*",), "https://[::1]:5000": ("x/*",)}
    catalog = ["acme/web", "team/a", "team/a/b", "team/archive-1", "x/team/a"]
    assert entry.chosen("localhost:5000", catalog) == ["team/a", "team/a/b"]
    assert entry.chosen("other:5000", catalog) == []


def test_a_policy_does_what_it_says() -> None:
    (entry,) = TagPolicy.parse(POLICY).policy
    ages = {f"n{day}": float(day) for day in range(30)}
    images = Images(
        {f"nightly-{day}": f"n{day}" for day in range(30)} | {"1.4.2": "a", "pr-7": "b", "2.0.0-rc1": "c"}, ages
    )

    planned = images.plan(*entry.tag_rules())

    assert removed(planned) == sorted([*(f"nightly-{day}" for day in range(14, 30)), "pr-7"])
    assert set_tags(planned) == {"1.4": digest("a")}
    assert [it.tag for it in planned.difference().promotions] == ["2.0.0"]


ENTRY = "entry 1 of [[policy]] (localhost:5000/acme/web): "


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('"retag"', '"delete"', ENTRY + "rule 1: unknown action; expected one of: 'retag', 'keep'"),
        ('action = "retag"', "", ENTRY + "rule 1: `action` is missing"),
        ("keep-last = 10", 'keep-last = "10"', ENTRY + "rule 3 (prune): keep-last: "),
        ("keep-last = 10", "keep-last = true", ENTRY + "rule 3 (prune): keep-last: "),
        ("keep-last = 10", "keep_last = 10", ENTRY + "rule 3 (prune): keep_last: there is no member of this name"),
        ("keep-last = 10", "keep-last = -1", ENTRY + "rule 3 (prune): the number of images must be 0 or more"),
        ('"14d"', '"14"', ENTRY + "rule 3 (prune): '14' is not an age"),
        ('"created"', '"pushed"', ENTRY + "rule 3 (prune): by: Input should be 'created' or 'version'"),
        ("{release}", "{rel}", ENTRY + "rule 5 (promote): '{rel}' has the unknown field {rel}"),
        ("pr-[0-9]+", "pr-[0-9", ENTRY + "rule 4 (untag): 'pr-[0-9' is not a regular expression"),
        ('regex = "pr-[0-9]+"', "", ENTRY + "rule 4 (untag): without tags and conditions, all tags would be removed"),
        ('semver = "*"', 'semver = "one"', ENTRY + "rule 1 (retag): 'one' is not a version range"),
        ('to = "{major}.{minor}"', "", ENTRY + "rule 1 (retag): to: is missing"),
        ('"localhost:5000/team/*"', '"team/*"', ENTRY + "repositories.1: 'team/*' must begin with a registry"),
        ('"localhost:5000/team/*"', '"*"', ENTRY + "repositories.1: '*' must begin with a registry"),
        ('"localhost:5000/team/*"', "7", ENTRY + "repositories.1: expected a string"),
        ("[[policy]]", "[policy]", "policy: expected a list"),
        ("[[policy.rules]]", "[[policy.rule]]", ENTRY + "rules: is missing"),
    ],
)
def test_what_is_wrong_is_named_by_entry_and_rule(old: str, new: str, problem: str) -> None:
    assert old in POLICY
    text = POLICY.replace(old, new) if "[[" in old else POLICY.replace(old, new, 1)

    with pytest.raises(ConfigError) as failure:
        TagPolicy.parse(text, "tags.toml")

    assert str(failure.value).startswith("tags.toml is not a valid tag policy: " + problem), failure.value
    assert str(failure.value).endswith("; see: dreg schema show tag-policy")


@pytest.mark.parametrize(
    "text", ["policy = [", "[[policy]]\nrepositories = 'a'\nrepositories = 'b'", "a = " + "9" * 5000]
)
def test_what_is_not_toml_is_told(text: str) -> None:
    with pytest.raises(ConfigError, match=r"^tags\.toml is not valid TOML: "):
        TagPolicy.parse(text, "tags.toml")


def test_the_schema_accepts_what_is_accepted_and_rejects_other_members() -> None:
    tree: Any = tomllib.loads(POLICY)
    validator = jsonschema.Draft202012Validator(schema("tag-policy"))

    assert validator.is_valid(tree)
    for name, value in (("keep-last", "10"), ("keep_last", 10), ("by", "pushed"), ("images", "some"), ("action", "x")):
        wrong: Any = tomllib.loads(POLICY)
        wrong["policy"][0]["rules"][2][name] = value
        assert not validator.is_valid(wrong), name
