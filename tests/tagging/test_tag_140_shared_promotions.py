"""Several promotions to one tag, and images that are removed with all their tags: no image is lost by them."""

import re
import shutil
from pathlib import Path

import pytest

from dreg_client import CopyTag, DeleteManifest, Layout, TagPlan, TagPolicy, apply_plan, errors, plan
from dreg_client.tagging.planned_tags import Promotion
from dreg_client.tagging.retag import Promote
from dreg_client.tagging.rules import Prune
from tests.copying.graphs import content, names
from tests.tagging.rules import Images, digest, removed
from tests.tagging.stores import Dated, subject_of
from tests.tagging.test_tag_110_promotions import candidates, kept, layout

ANOTHER = "another repository of the plan promotes it to the same tag"


def failed(made: TagPlan) -> dict[str, str]:
    return {str(each.tag): each.reason for repository in made.repositories for each in repository.failures}


def signed(tag: str = "1.0") -> tuple[Dated, str]:
    """A graph of an image with a signature; the digest of the signature."""
    graph = Dated()
    image = graph.dated(layer=tag)
    graph.tag(image, tag)
    return graph, graph.signature("signed", subject=subject_of(image))["digest"]


def promoting(sources: list[str], into: Path, *, referrers: bool = False) -> TagPlan:
    return plan(sources).promote("*", into=f"oci:{into}", referrers=referrers).prune("*").make()


def test_tag_140_the_second_of_two_sources_of_one_tag_keeps_its_image(tmp_path: Path) -> None:
    sources = [layout(candidates("1.0"), tmp_path / name) for name in ("a", "b")]

    made = promoting(sources, tmp_path / "production")
    with Layout(tmp_path / "a") as opened:
        opened.delete_tag("1.0")
    apply_plan(made)

    assert [(type(it), it.digest) for it in made.changes] == [
        (CopyTag, made.changes[0].digest),
        (DeleteManifest, made.changes[0].digest),
    ]
    assert kept(made) == {"1.0": ANOTHER}
    assert [*names(tmp_path / "b")] == ["1.0"]


def test_tag_140_and_the_signatures_that_only_the_second_has(tmp_path: Path) -> None:
    graph, signature = signed()
    sources = [layout(candidates("1.0"), tmp_path / "a"), layout(graph, tmp_path / "b")]

    made = promoting(sources, tmp_path / "production", referrers=True)

    assert not apply_plan(made).failures
    assert signature in content(tmp_path / "b")


@pytest.mark.parametrize("has_signature", [False, True])
def test_tag_140_although_the_destination_has_the_image(has_signature: bool, tmp_path: Path) -> None:
    graph, signature = signed()
    first, second = candidates("1.0"), graph if has_signature else candidates("1.0")
    sources = [layout(first, tmp_path / "a"), layout(second, tmp_path / "b")]
    layout(first, tmp_path / "production")

    made = promoting(sources, tmp_path / "production", referrers=has_signature)
    with Layout(tmp_path / "production") as opened:
        opened.delete_tag("1.0")
    apply_plan(made)

    assert next(str(it) for it in made.changes if isinstance(it, CopyTag)).endswith("already there")
    assert [[*names(tmp_path / name)] for name in ("a", "b")] == [["1.0"], ["1.0"]]
    assert (signature in content(tmp_path / "b")) == has_signature


def test_tag_141_different_images_for_one_tag_fail_and_stay(tmp_path: Path) -> None:
    stage, production = layout(candidates("1.0-rc1", "2.0-rc1", "old"), tmp_path / "stage"), tmp_path / "production"
    planner = plan([stage])
    for tag in ("1.0-rc1", "2.0-rc1"):
        planner.promote(tag, into=f"oci:{production}", template="stable")

    made = planner.prune("*").make()

    assert [it.tags for it in made.changes if isinstance(it, DeleteManifest)] == [("old",)]
    assert len(made.changes) == 1
    would = f"are different images that would both become oci:{production}:stable; choose one"
    assert failed(made) == {"1.0-rc1": f"1.0-rc1 and 2.0-rc1 {would}", "2.0-rc1": f"2.0-rc1 and 1.0-rc1 {would}"}
    assert [*kept(made)] == ["1.0-rc1", "2.0-rc1"]
    assert planner.explain("1.0-rc1")[-1] == "stays as it is: a rule cannot do what it says with it"


def test_tag_141_so_do_those_of_two_spellings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    planner = plan([layout(candidates("1.0-rc1", "2.0-rc1"), tmp_path / "stage")])
    planner.promote("1*", into="oci:production", template="stable")

    made = planner.promote("2*", into="oci:./production", template="stable").prune("*").make()

    assert made.is_empty
    assert [*failed(made)] == [*kept(made)] == ["1.0-rc1", "2.0-rc1"]


def test_tag_141_different_repositories_are_a_conflict(tmp_path: Path) -> None:
    sources = [layout(candidates(tag), tmp_path / tag) for tag in ("1.0", "2.0")]
    planner = plan(sources).promote("*", into=f"oci:{tmp_path / 'production'}", template="stable")

    with pytest.raises(errors.ConflictError, match=r"would both become .*:stable; choose one"):
        planner.make()


def test_tag_141_a_promotion_does_not_replace_another_one() -> None:
    rules = [Promote.of(tag, into="oci:out", template="stable") for tag in ("a", "b", "a")]

    planned = Images({"a": "1", "b": "2"}).plan(*rules)

    assert planned.difference().promotions == tuple(
        Promotion("oci:out", "stable", digest(it), tag) for tag, it in zip("ab", "12", strict=True)
    )


@pytest.mark.parametrize("order", [(True, False), (False, True)])
@pytest.mark.parametrize("other", ["oci:production", "oci:./production"])
def test_tag_142_referrers_are_copied_if_one_of_two_rules_says_so(
    order: tuple[bool, bool], other: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    graph, signature = signed()
    planner = plan([layout(graph, tmp_path / "stage")])
    for into, referrers in zip(("oci:production", other), order, strict=True):
        planner.promote("*", into=into, referrers=referrers)

    assert not apply_plan(planner.prune("*").make()).failures
    assert signature in content(tmp_path / "production")


@pytest.mark.parametrize(("match", "semver"), [(re.compile("pr-.*"), None), (None, ">=1")], ids=["regex", "semver"])
def test_tag_143_images_each_needs_globs(match: re.Pattern[str] | None, semver: str | None) -> None:
    with pytest.raises(ValueError, match="choose the tags by globs"):
        Prune.of(match, semver=semver, images="each")


def test_tag_143_so_does_a_policy() -> None:
    rule = "[[policy.rules]]\naction = 'prune'\nregex = 'pr-.*'\nimages = 'each'\n"

    with pytest.raises(errors.ConfigError, match="choose the tags by globs"):
        TagPolicy.parse(f"[[policy]]\nrepositories = ['acme.example/web']\n{rule}")


@pytest.mark.parametrize("chosen", ["pr-*", "*"])
def test_tag_143_an_image_with_a_protected_tag_keeps_all_its_tags(chosen: str, tmp_path: Path) -> None:
    graph = Dated()
    image = graph.dated(layer="image")
    for tag in ("1.0-rc1", "pr-1", "latest"):
        graph.tag(image, tag)
    stage, other = layout(graph, tmp_path / "stage"), layout(candidates("x"), tmp_path / "other")
    broken = Path(shutil.copytree(tmp_path / "other", tmp_path / "broken"))
    (broken / "index.json").write_text("{")

    made = plan([stage, other]).promote("*-rc*", into=f"oci:{broken}").prune(chosen, images="any").make()

    assert [it.tags for it in made.changes if isinstance(it, DeleteManifest)] == ([] if chosen == "pr-*" else [("x",)])
    assert [*kept(made)] == ["1.0-rc1", "latest", "pr-1"]
    assert kept(made)["pr-1"] == "another tag of its image, 1.0-rc1, stays as it is"


def test_tag_143_without_images_only_the_protected_tag_stays() -> None:
    images = Images({"a": "1", "b": "1"})
    planned = images.plan(Prune.of("b"))
    planned.protect("a", "why")
    planned.settle()

    assert removed(planned) == ["b"]
