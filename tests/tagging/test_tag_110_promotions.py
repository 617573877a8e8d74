"""What cannot be promoted stays in its source, and each repository is planned once, however it is spelled."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dreg_client import (
    CopyTag,
    DeleteManifest,
    Digest,
    Layout,
    MoveTag,
    RepositoryTagPlan,
    TagPlan,
    TagPolicy,
    Untag,
    apply_plan,
    errors,
    plan,
    plan_policy,
)
from tests.copying.graphs import Graph, names
from tests.doors import LIBRARIES, Door, repository
from tests.http.documents import refusal
from tests.tagging.stores import Dated
from tests.tagging.test_unreadable import serving


@pytest.fixture(params=[False, True], ids=["threads", "asyncio"])
def door(request: pytest.FixtureRequest) -> Door:
    return Door(LIBRARIES[0], request.param)


def candidates(*tags: str) -> Dated:
    """A graph of release candidates."""
    graph = Dated()
    for tag in tags:
        graph.tagged(tag, layer=tag)
    return graph


def layout(graph: Graph, path: Path) -> str:
    return f"oci:{graph.write(path)}"


def kept(made: TagPlan) -> dict[str, str]:
    return {each.tag: each.reason for repository in made.repositories for each in repository.kept}


def promoted(door: Door, graph: Graph, change: Callable[[Any], Any]) -> TagPlan:
    """Plan promotions into another repository, one tag of which, 2.0-rc1, cannot be read."""
    stage = serving(graph)

    def answer(request: Any) -> Any:
        if not request.url.path.startswith("/v2/prod/web/"):
            return stage(request)
        is_broken = request.url.path.endswith("/2.0-rc1")
        return refusal(400, "NAME_INVALID") if is_broken else refusal(404, "MANIFEST_UNKNOWN")

    def make(registry: Any) -> Any:
        into = registry.repository("prod/web")
        return change(repository(registry).plan().promote("*-rc*", into=into)).make()

    found = door.run(answer, make)
    assert isinstance(found, TagPlan)
    return found


CHANGES: list[Callable[[Any], Any]] = [
    lambda planner: planner.prune("*-rc*"),
    lambda planner: planner.prune("*-rc*", delete=False),
    lambda planner: planner.untag("2.0-rc1").untag("1.0-rc1"),
]


@pytest.mark.parametrize("change", CHANGES, ids=["prune", "untag-only", "untag"])
def test_tag_110_an_image_whose_copy_cannot_be_planned_stays(door: Door, change: Callable[[Any], Any]) -> None:
    made = promoted(door, candidates("1.0-rc1", "2.0-rc1"), change)

    removed = [it for it in made.changes if isinstance(it, Untag | DeleteManifest)]
    assert [getattr(it, "tag", None) or it.tags[0] for it in removed] == ["1.0-rc1"]  # type: ignore[union-attr]
    assert [it.tag for it in made.changes if isinstance(it, CopyTag)] == ["1.0-rc1"]
    assert "prod/web:2.0-rc1 cannot be read, so it is not copied there" in kept(made)["2.0-rc1"]


def test_tag_110_neither_is_it_deleted_by_its_digest_nor_its_tag_moved(door: Door) -> None:
    graph = Dated()
    digest = graph.tagged("2.0-rc1", layer="2")
    graph.tagged("other", layer="other")

    deleted = promoted(door, graph, lambda planner: planner.untag("2.0-rc1").delete_manifest(digest))
    moved = promoted(door, graph, lambda planner: planner.move("2.0-rc1", to="other"))
    assert (deleted.changes, moved.changes) == ((), ())
    assert [*kept(deleted)] == [*kept(moved)] == ["2.0-rc1"]


def test_tag_110_so_does_an_image_whose_copy_the_same_plan_removes(tmp_path: Path) -> None:
    stage = layout(candidates("1.0-rc1"), tmp_path / "stage")
    production = layout(candidates("1.0-rc1", "1.0"), tmp_path / "production")
    rule = f"[[policy.rules]]\naction = 'promote'\ninclude = ['*-rc*']\ninto = '{production}'\n"
    prune = "[[policy.rules]]\naction = 'prune'\ninclude = ['*-rc*']\n"
    text = (
        f"[[policy]]\nrepositories = ['{stage}']\n{rule}{prune}\n[[policy]]\nrepositories = ['{production}']\n{prune}"
    )

    made = plan_policy(TagPolicy.parse(text)).make()

    assert [each.repository for each in made.repositories if each.changes] == [production]
    assert kept(made) == {"1.0-rc1": f"the plan changes {production}:1.0-rc1, which is its copy"}


def test_tag_110_so_does_an_image_whose_destination_cannot_be_opened(tmp_path: Path) -> None:
    stage = layout(candidates("1.0-rc1"), tmp_path / "stage")
    other = layout(candidates("1.0"), tmp_path / "other")
    broken = Path(shutil.copytree(tmp_path / "stage", tmp_path / "broken"))
    (broken / "index.json").write_text("{")

    made = plan([stage, other]).promote("*-rc*", into=f"oci:{broken}").prune("*-rc*").make()

    assert made.is_empty
    assert [*kept(made)] == ["1.0-rc1"]
    assert [each.tag for repository in made.repositories for each in repository.failures] == ["1.0-rc1"]


@pytest.mark.parametrize("action", ["retag", "promote"])
def test_tag_111_a_tag_that_a_rule_fails_for_is_not_removed(action: str, tmp_path: Path) -> None:
    tag = "nightly-" + "a" * 60
    planner = plan([layout(candidates(tag, "nightly-1"), tmp_path / "stage")])
    if action == "retag":
        planner.retag("nightly-a*", "{tag}-{tag}")
    else:
        planner.promote("nightly-a*", into=f"oci:{tmp_path / 'production'}", template="{tag}-{tag}")

    made = planner.prune("nightly-*").make()

    assert [it.tags for it in made.changes if isinstance(it, DeleteManifest)] == [("nightly-1",)]
    assert [*kept(made)] == [it.tag for repository in made.repositories for it in repository.failures] == [tag]
    assert planner.explain(tag)[-1] == f"stays as it is: {kept(made)[tag]}"


@pytest.mark.parametrize("spelled", ["oci:./web", "oci:web/", "oci:../here/web", "oci:{}/here/web", "oci:link"])
def test_tag_112_a_layout_with_two_names_is_planned_once(
    spelled: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    layout(candidates("1.4", "1.3"), tmp_path / "here" / "web")
    monkeypatch.chdir(tmp_path / "here")
    Path("link").symlink_to("web")
    keep = "[[policy]]\nrepositories = ['oci:web']\n[[policy.rules]]\naction = 'keep'\ninclude = ['1.4']\n"
    rule = "[[policy.rules]]\naction = 'prune'\ninclude = ['1.*']\n"
    prune = f"[[policy]]\nrepositories = ['{spelled.format(tmp_path)}']\n{rule}"

    [found] = plan_policy(TagPolicy.parse(keep + prune)).make().repositories
    assert (found.repository, [it.tags for it in found.changes if isinstance(it, DeleteManifest)]) == (
        "oci:web",
        [("1.3",)],
    )


def test_tag_112_nor_are_copies_into_it_planned_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    layout(candidates("1.4-rc1"), tmp_path / "web")

    made = plan(["oci:web"]).promote("*-rc*", into="oci:./web", template="{major}-{minor}").prune("nothing").make()
    assert made.is_empty
    made = plan(["oci:web"]).promote("*", into="oci:./web", template="new-{tag}").prune("*").make()

    [found] = made.repositories
    copied, untagged = found.changes
    assert isinstance(copied, CopyTag)
    assert isinstance(untagged, Untag)
    assert (copied.tag, untagged.other_tags) == ("new-1.4-rc1", ("new-1.4-rc1",))
    assert not apply_plan(made).failures
    assert [*names(tmp_path / "web")] == ["new-1.4-rc1"]


def test_tag_112_one_registry_by_two_names_of_its_host_is_refused() -> None:
    planner = plan(["localhost:5000/acme/web"])

    with pytest.raises(errors.ConfigError, match="may be the same repository; use one of the two names"):
        planner.promote("*", into="127.0.0.1:5000/acme/web").make()


def test_tag_113_what_an_image_keeps_is_what_promotions_leave_it(tmp_path: Path) -> None:
    """The tag `x`, which promotion moves, is no other tag of the image that `old` is removed from."""
    stage, production = tmp_path / "stage", tmp_path / "production"
    graph = candidates("x")
    graph.tag(graph.dated(layer="x"), "copied")
    new = graph.dated(layer="new")
    graph.tag(new, "new")
    layout(graph, stage)
    graph = Dated()
    for tag in ("x", "old"):
        graph.tag(graph.dated(layer="first"), tag)
    for tag in ("moved", "stays"):
        graph.tag(graph.dated(layer="x"), tag)
    layout(graph, production)
    text = f"""
[[policy]]
repositories = ["oci:{stage}"]
[[policy.rules]]
action = "promote"
include = ["x", "copied"]
into = "oci:{production}"
[[policy]]
repositories = ["oci:{production}"]
[[policy.rules]]
action = "untag"
include = ["old", "moved"]
"""
    untags = [it for it in plan_policy(TagPolicy.parse(text)).make().changes if isinstance(it, Untag)]

    assert {it.tag: it.other_tags for it in untags} == {"old": (), "moved": ("copied", "stays", "x")}


def two(tmp_path: Path) -> tuple[str, str]:
    """Two layouts that have the same image."""
    graph = candidates("1.0")
    return layout(graph, tmp_path / "stage"), layout(graph, tmp_path / "production")


def test_tag_114_a_copy_that_exists_is_named_if_the_plan_removes_its_source(tmp_path: Path) -> None:
    stage, production = two(tmp_path)
    planner = plan([stage]).promote("*", into=production)

    assert planner.make().is_empty
    copied, deleted = planner.prune("*").make().changes

    assert isinstance(copied, CopyTag)
    assert isinstance(deleted, DeleteManifest)
    assert copied.replaces == copied.digest == deleted.digest
    assert str(copied).endswith(") to 1.0, already there")


def test_tag_114_the_source_stays_if_the_copy_was_removed_since(tmp_path: Path) -> None:
    stage, production = two(tmp_path)
    made = plan([stage]).promote("*", into=production).prune("*").make()
    with Layout(tmp_path / "production") as opened:
        opened.delete_tag("1.0")

    done = apply_plan(made)

    assert not done.done
    assert len(done.conflicts) == 1
    assert len(done.failures) == 2
    assert [*names(tmp_path / "stage")] == ["1.0"]


def test_tag_114_otherwise_it_is_removed(tmp_path: Path) -> None:
    stage, production = two(tmp_path)

    done = apply_plan(plan([stage]).promote("*", into=production).prune("*").make())

    assert not done.failures
    assert ([*names(tmp_path / "stage")], [*names(tmp_path / "production")]) == ([], ["1.0"])


A, B = (f"sha256:{number * 64}" for number in "01")
TWICE: dict[str, list[dict[str, Any]]] = {
    "new is changed twice": [
        {"action": "tag", "tag": "new", "digest": A},
        {"action": "untag", "tag": "new", "digest": B},
    ],
    "1.4 is changed twice": [
        {"action": "untag", "tag": "1.4", "digest": A},
        {"action": "delete", "digest": A, "tags": ["1.4"]},
    ],
    f"{A} is changed twice": [{"action": "delete", "digest": A}, {"action": "delete", "digest": A}],
    "a is named twice": [{"action": "delete", "digest": A, "tags": ["a", "a"]}],
    f"{B} is named twice": [{"action": "delete", "digest": A, "platforms": [B, B]}],
    "b is named twice": [{"action": "untag", "tag": "a", "digest": A, "otherTags": ["b", "b"]}],
}


@pytest.mark.parametrize("problem", TWICE)
def test_tag_115_a_plan_names_each_tag_and_digest_once(problem: str) -> None:
    raw = {"version": 1, "repositories": [{"repository": "oci:web", "changes": TWICE[problem]}]}

    with pytest.raises(errors.ConfigError, match=rf"^x\.json is not a valid plan: oci:web: {problem}"):
        TagPlan.from_json(json.dumps(raw), "x.json")


def test_tag_115_and_each_repository_once() -> None:
    raw = {"version": 1, "repositories": [{"repository": "oci:web"}, {"repository": "oci:web"}]}

    with pytest.raises(errors.ConfigError, match="oci:web is in the plan twice"):
        TagPlan.from_json(json.dumps(raw))


def test_tag_115_the_constructor_checks_this_too() -> None:
    change = MoveTag(tag="1.4", digest=Digest(A), replaces=Digest(B))
    with pytest.raises(errors.ConfigError, match=r"1\.4 is changed twice"):
        RepositoryTagPlan(repository="oci:web", changes=(change, change))
