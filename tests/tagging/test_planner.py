"""Plans of tags over layouts and Debian's docker-registry: what is planned, and what is requested for it."""

import asyncio
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import semantic_version

from dreg_client import (
    AddTag,
    AsyncRegistry,
    CopyTag,
    Decision,
    DeleteManifest,
    Layout,
    MoveTag,
    Registry,
    TagFacts,
    TagPlan,
    Untag,
    errors,
    plan,
)
from tests.copying.graphs import Graph, names
from tests.registries import RunningRegistry
from tests.tagging.stores import NOW, Dated, Push, Requests, digest_tag_of, nightlies, pushed, subject_of


def deleted(made: TagPlan) -> list[str]:
    return [tag for each in made.changes if isinstance(each, DeleteManifest) for tag in each.tags]


def test_changes_are_the_difference_between_the_tags_as_read_and_as_planned(push: Push) -> None:
    graph = Dated()
    old, new = graph.tagged("1.4.1", layer="old"), graph.tagged("1.4.2", layer="new")
    graph.tag(graph.dated(layer="old"), "1.4")
    graph.tag(graph.dated(layer="old"), "1.3-rc1")

    planner = (
        plan([push(graph)]).move("1.4", to="1.4.1").move("1.4", to="1.4.2").tag("latest", to="1.4").untag("1.3-rc1")
    )

    assert planner.make().changes == (
        AddTag(tag="latest", digest=new),
        MoveTag(tag="1.4", digest=new, replaces=old, other_tags=("1.4.1",)),
        Untag(tag="1.3-rc1", digest=old, other_tags=("1.4.1",)),
    )


def test_releases_follow_the_highest_version(push: Push) -> None:
    graph = Dated()
    graph.tagged("1.4.9", layer="old")
    newest = graph.tagged("1.4.10", layer="new")

    made = plan([push(graph)]).retag("*", "{major}.{minor}").retag("*", "latest", semver="*").make()
    assert made.changes == (AddTag(tag="1.4", digest=newest), AddTag(tag="latest", digest=newest))


def test_each_version_is_parsed_once_by_a_rule(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    graph = Dated()
    for number in range(5):
        graph.tagged(f"1.4.{number}", layer=str(number))
    parsed: list[str] = []
    coerce = semantic_version.Version.coerce
    monkeypatch.setattr(semantic_version.Version, "coerce", lambda text: parsed.append(text) or coerce(text))

    made = plan([f"oci:{graph.write(tmp_path / 'layout')}"]).retag("*", "{major}.{minor}", semver="^1").make()

    assert [change.subject for change in made.changes] == ["1.4"]
    assert sorted(parsed) == [f"1.4.{number}" for number in range(5)]


def test_the_newest_images_and_young_ones_are_not_pruned(push: Push) -> None:
    name = push(nightlies(5))

    assert deleted(plan([name]).prune("nightly-*", keep_last=3).make(now=NOW)) == ["nightly-1", "nightly-2"]
    assert deleted(plan([name]).prune("nightly-*", older_than="29d").make(now=NOW)) == [
        "nightly-1",
        "nightly-2",
        "nightly-3",
    ]
    found = plan([name]).keep("nightly-1").prune("nightly-*", keep_last=3, older_than="28d").make(now=NOW)
    assert deleted(found) == ["nightly-2"]


def test_an_image_without_a_date_is_kept_and_reported(push: Push) -> None:
    graph = nightlies(1)
    epoch = graph.tagged("nightly-2", "1970-01-01T00:00:00Z")
    none = graph.tagged("nightly-3", None)

    [found] = plan([push(graph)]).prune("nightly-*", older_than="1d").make(now=NOW).repositories
    assert deleted(TagPlan(repositories=(found,))) == ["nightly-1"]
    assert {(each.tag, each.digest) for each in found.kept} == {("nightly-2", epoch), ("nightly-3", none)}


def test_an_index_is_as_old_as_its_newest_platform(push: Push) -> None:
    graph = Dated()
    old, new = graph.dated("2024-01-01T00:00:00Z"), graph.dated("2024-05-31T00:00:00Z", architecture="arm64")
    graph.tag(graph.index([old, new]), "1.4")
    seen: list[TagFacts] = []

    plan([push(graph)]).decide(seen.append, facts=["created", "size", "platforms"]).make(now=NOW)
    [facts] = seen
    assert (facts.created, facts.oldest) == (datetime(2024, 5, 31, tzinfo=UTC), datetime(2024, 1, 1, tzinfo=UTC))
    assert [str(each) for each in facts.platforms] == ["linux/amd64", "linux/arm64"]
    assert facts.size == sum(map(len, graph.blobs.values()))


def test_what_goes_with_an_image_is_named(push: Push) -> None:
    graph = Dated()
    platforms = [graph.dated(architecture="amd64"), graph.dated(architecture="arm64")]
    index = graph.index(platforms)
    graph.tag(index, "pr-1")
    graph.tag(graph.signature("signature"), digest_tag_of(index))
    sbom = graph.artifact([], subject=subject_of(platforms[0]))
    graph.tagged("1.4", layer="other")

    [found] = plan([push(graph)]).prune("pr-*").make().changes
    assert isinstance(found, DeleteManifest)
    assert (found.digest, found.tags) == (index["digest"], ("pr-1",))
    assert found.platforms == tuple(each["digest"] for each in platforms)
    assert found.referrers == (sbom["digest"],)
    assert digest_tag_of(index) in found.digest_tags


def test_an_image_with_another_tag_loses_the_tag_only(push: Push) -> None:
    graph = nightlies(1)
    graph.tag(graph.dated("2024-05-01T00:00:00Z", "build 1"), "stable")

    [found] = plan([push(graph)]).prune("nightly-*").make().changes
    assert isinstance(found, Untag)
    assert found.other_tags == ("stable",)


def test_an_image_in_an_index_loses_the_tag_only(push: Push) -> None:
    graph = Dated()
    image = graph.dated()
    graph.tag(image, "pr-1")
    graph.tag(graph.index([image]), "1.4")

    [found] = plan([push(graph)]).prune("pr-*").make().changes
    assert str(found) == f"untag pr-1 ({image['digest'][:19]}, needed by the index 1.4: the image stays)"


def test_delete_manifest_is_refused_while_something_needs_it(push: Push) -> None:
    graph = Dated()
    image = graph.dated()
    graph.tag(image, "1.4")
    graph.tag(graph.index([image]), "multi")
    other = graph.dated(layer="other")
    graph.tag(other, "2.0")
    graph.artifact([], subject=subject_of(other))
    name = push(graph)

    with pytest.raises(errors.ConflictError, match=r"the tag 1\.4 needs it; remove the tag in the same plan"):
        plan([name]).delete_manifest(image["digest"]).make()
    with pytest.raises(errors.ConflictError, match="the index multi needs it"):
        plan([name]).untag("1.4").delete_manifest(image["digest"]).make()
    with pytest.raises(errors.ConflictError, match=r"referrers=True"):
        plan([name]).untag("2.0").delete_manifest(other["digest"]).make()
    [found] = plan([name]).untag("2.0").delete_manifest(other["digest"], referrers=True).make().changes
    assert isinstance(found, DeleteManifest)
    assert (found.tags, len(found.referrers)) == (("2.0",), 1)


def test_referrers_with_tags_of_their_own_go_along_if_named(push: Push) -> None:
    graph = Dated()
    image = graph.dated()
    graph.tag(image, "1.4")
    sbom = graph.artifact([], subject=subject_of(image))
    graph.tag(sbom, "1.4-sbom")
    name = push(graph)

    with pytest.raises(errors.ConflictError, match=r"the referrer 1\.4-sbom needs it"):
        plan([name]).untag("1.4").delete_manifest(image["digest"]).make()
    found = plan([name]).untag("1.4").delete_manifest(image["digest"], referrers=True).make()
    assert deleted(found) == ["1.4-sbom", "1.4"]


def test_a_tag_that_exists_is_not_moved_by_tag(push: Push) -> None:
    graph = Dated()
    graph.tagged("1.4", layer="old")
    graph.tagged("1.4.2", layer="new")

    with pytest.raises(errors.ConflictError, match=r"move\('1\.4', to='1\.4\.2'\)"):
        plan([push(graph)]).tag("1.4", to="1.4.2").make()


def test_a_digest_that_does_not_exist_cannot_be_tagged(push: Push) -> None:
    with pytest.raises(errors.NotFoundError):
        plan([push(nightlies(1))]).tag("1.4", to=f"sha256:{64 * '0'}").make()


def test_images_are_promoted_into_another_store(push: Push, tmp_path: Path) -> None:
    graph = Dated()
    first, second = graph.tagged("1.4.1-rc1", layer="1"), graph.tagged("1.4.2-rc3", layer="2")
    name, into = push(graph), f"oci:{tmp_path / 'production'}"

    made = plan([name]).promote(re.compile(r"(?P<release>\d+\.\d+\.\d+)-rc\d+"), into=into, template="{release}").make()
    assert [each.repository for each in made.repositories if each.changes] == [into]
    assert made.changes == (
        CopyTag(source=name, tag="1.4.1", digest=first, source_tag="1.4.1-rc1"),
        CopyTag(source=name, tag="1.4.2", digest=second, source_tag="1.4.2-rc3"),
    )
    assert not Path(tmp_path, "production").exists()


def test_promoted_tags_that_are_the_same_already_need_no_copy(push: Push, tmp_path: Path) -> None:
    graph = Dated()
    new, same = graph.tagged("1.4", layer="new"), Dated()
    graph.tagged("1.5", layer="same")
    same.tagged("1.5", layer="same")
    old = same.tagged("1.4", layer="old")
    into = f"oci:{same.write(tmp_path / 'production')}"

    [found] = plan([push(graph)]).promote("*", into=into).make().changes
    assert isinstance(found, CopyTag)
    assert (found.tag, found.digest, found.replaces) == ("1.4", new, old)


def test_functions_decide_by_the_facts_that_they_name(push: Push) -> None:
    graph = Dated()
    graph.tagged("small", layer="x")
    graph.tagged("large", layer=10_000 * "x")

    def decide(tag: TagFacts) -> Decision | None:
        return Decision.prune() if (tag.size or 0) > 5_000 else None

    assert deleted(plan([push(graph)]).decide(decide, facts=["size"]).make()) == ["large"]


def test_manifests_without_a_tag_are_pruned_where_the_store_lists_them(tmp_path: Path) -> None:
    graph = nightlies(1)
    left = graph.dated("2024-01-01T00:00:00Z", "left")
    graph.entries.append(left)
    platform = graph.dated("2024-01-01T00:00:00Z", "platform")
    graph.entries.append(platform)
    graph.tag(graph.index([platform]), "1.4")
    name = f"oci:{graph.write(tmp_path / 'layout')}"

    [found] = plan([name]).prune("pr-*", older_than="1d", untagged=True).make().changes
    assert isinstance(found, DeleteManifest)
    assert (found.digest, found.tags) == (left["digest"], ())


def test_manifests_without_a_tag_are_not_pruned_elsewhere(registry: RunningRegistry, tmp_path: Path) -> None:
    name = pushed(nightlies(1), registry, tmp_path)

    planner = plan([name]).move("latest", to="nightly-1").prune("nightly-*", untagged=True)
    [found] = planner.make().repositories
    assert [type(each) for each in found.changes] == [AddTag, Untag]
    assert [each.tag for each in found.failures] == [None]
    assert found.failures[0].reason.startswith(
        f"rule 2 (prune nightly-*): {name} does not list manifests without a tag, so they stay as they are; remove"
    )
    result = planner.apply(TagPlan(repositories=(found,)))
    assert (len(result.done), [*result.failures]) == (2, [name])


def test_rules_read_no_more_than_they_need(registry: RunningRegistry, tmp_path: Path) -> None:
    graph = nightlies(3)
    graph.tagged("1.4.1", layer="old")
    graph.tagged("1.4.2", layer="new")
    name = pushed(graph, registry, tmp_path)

    requests = Requests()
    plan([name], on_event=requests).retag("*", "{major}.{minor}").make()
    assert sorted(requests.all) == ["GET tags/list", "HEAD manifests/1.4.2"]

    requests = Requests()
    plan([name], on_event=requests).prune("nightly-*", semver=None, by="version", delete=False).make()
    assert sorted(requests.all) == ["GET tags/list", *(f"HEAD manifests/{tag}" for tag in sorted(graph_tags(graph)))]


def graph_tags(graph: Graph) -> list[str]:
    return [entry["annotations"]["org.opencontainers.image.ref.name"] for entry in graph.entries]


def test_nothing_is_requested_twice(registry: RunningRegistry, tmp_path: Path) -> None:
    graph = nightlies(4)
    for number in range(1, 5):
        graph.tag(graph.dated(f"2024-05-0{number}T00:00:00Z", f"build {number}"), f"build-{number}")
    name = pushed(graph, registry, tmp_path)

    requests = Requests()
    planner = plan([name], on_event=requests).keep("build-*", last=2).prune("*", keep_last=3)
    made = planner.prune("nightly-*", older_than="1d").make(now=NOW)
    assert made.changes
    assert sorted(requests.all) == sorted({*requests.all})
    assert len(requests.made("HEAD")) == 8
    assert len(requests.made("GET manifests/sha256:")) == len(requests.made("GET blobs/")) == 4


def test_several_repositories_are_planned_and_a_failure_is_that_of_its_repository(push: Push, tmp_path: Path) -> None:
    other = nightlies(2).write(tmp_path / "other")

    made = (
        plan([push(nightlies(3)), f"oci:{other}", f"oci:{tmp_path / 'missing'}"]).prune("nightly-*", keep_last=1).make()
    )
    assert [len(each.changes) for each in made.repositories] == [2, 1, 0]
    assert [len(each.failures) for each in made.repositories] == [0, 0, 1]


def test_a_single_repository_that_does_not_exist_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(errors.NotFoundError):
        plan([f"oci:{tmp_path / 'missing'}"]).untag("1.4").make()


def test_explain_says_which_rule_did_what(push: Push) -> None:
    planner = plan([push(nightlies(3))]).keep("nightly-1").prune("nightly-*", keep_last=1)
    with pytest.raises(ValueError, match="before make"):
        planner.explain("nightly-1")
    planner.make()

    assert planner.explain("nightly-1") == (
        "rule 1 (keep nightly-*): kept".replace("*", "1"),
        "rule 2 (prune nightly-*, keep 1): not removed: a rule before it keeps it",
    )
    with pytest.raises(errors.NotFoundError, match=r"has no tag 1\.4; list the tags with: dreg tags"):
        planner.explain("1.4")


def test_a_plan_is_applied_by_its_planner(push: Push, tmp_path: Path) -> None:
    name = push(nightlies(3))
    planner = plan([name]).prune("nightly-*", keep_last=1).tag("stable", to="nightly-3")

    result = planner.apply(planner.make(), journal=tmp_path / "changes.jsonl")
    assert not result.failures
    assert plan([name]).prune("nightly-*", keep_last=1).tag("stable", to="nightly-3").make().is_empty


def test_open_stores_plan_and_see_changes_of_others(registry: RunningRegistry, tmp_path: Path) -> None:
    name = pushed(nightlies(2), registry, tmp_path)
    layout = Layout(nightlies(2).write(tmp_path / "layout"))
    Layout(tmp_path / "layout").untag("nightly-1")
    assert layout.plan().prune("nightly-*", keep_last=1).make(now=NOW).is_empty

    async def planned() -> TagPlan:
        async with AsyncRegistry(registry.url) as opened:
            repository = opened.repository(name.partition("/")[2])
            await repository.tags()
            with Registry(registry.url) as other:
                other.repository(name.partition("/")[2]).tag("nightly-1", "nightly-0")
            return await repository.plan().prune("nightly-*", keep_last=1).make()

    [found] = asyncio.run(planned()).changes
    assert isinstance(found, DeleteManifest)
    assert found.tags == ("nightly-0", "nightly-1")


@pytest.mark.parametrize("given", ["localhost:5000/acme/web:1.4", "oci-archive:web.tar"])
def test_only_repositories_and_layouts_without_a_tag_can_be_planned(given: str, tmp_path: Path) -> None:
    given = given.replace("web.tar", str(tmp_path / "web.tar"))
    with pytest.raises((errors.InvalidReferenceError, errors.UnsupportedError)):
        plan([given]).untag("1.4").make()


def test_a_single_name_is_not_a_list() -> None:
    wrong: Any = "localhost:5000/acme/web"
    with pytest.raises(TypeError, match=r"\['localhost:5000/acme/web'\]"):
        plan(wrong)


def test_the_time_of_a_plan_has_a_zone(tmp_path: Path) -> None:
    layout = f"oci:{nightlies(1).write(tmp_path / 'layout')}"
    with pytest.raises(ValueError, match="time zone"):
        plan([layout]).prune("*", older_than="1d").make(now=datetime(2024, 6, 1))  # noqa: DTZ001 (the error)
    assert names(tmp_path / "layout")
