"""Digest tags in layouts and archives whose images have full names, such as `acme/web:sha256-HEX.sig`."""

from pathlib import Path

import pytest

from dreg_client import Layout, TagFilter, copy, plan_sync
from dreg_client.copying.digest_tags import digest_tag, names_to_copy
from tests.copying.flavours import Copy
from tests.copying.flavours import both as both_copies
from tests.copying.graphs import Graph, names
from tests.copying.sync_flavours import Syncs, both
from tests.copying.test_prune import tags_of
from tests.copying.test_signatures import TWO, Signed, signed, tag_about
from tests.registries import RunningRegistry

WEB = "localhost:5000/acme/web"


def under(repository: str, made: Signed) -> Graph:
    """The content of a layout, with the repository in all names."""
    for it in made.graph.entries:
        for key, name in it.get("annotations", {}).items():
            it["annotations"][key] = f"{repository}:{name}"
    return made.graph


@pytest.fixture
def there(registry: RunningRegistry) -> str:
    """The name of an empty repository."""
    return f"{registry.address}/named/web"


def about_images(made: Signed, tag: str) -> set[str]:
    return {f"{WEB}:{tag_about(it)}" for it in (made.indexes[tag], *made.images[tag])}


@both
def test_digest_tags_with_a_repository_are_removed_only_with_their_subjects(run: Syncs, tmp_path: Path) -> None:
    before, after, unsigned = signed("1.3", "1.4"), signed("1.3"), signed("1.3")
    there = f"oci:{tmp_path}/there"
    run.sync(f"oci:{under(WEB, before).write(tmp_path / 'before')}", there)
    source = under(WEB, unsigned)
    source.entries = [it for it in source.entries if ".sig" not in str(it)]  # the images stay, without signatures

    kept = run.sync(f"oci:{source.write(tmp_path / 'unsigned')}", there, prune=True)
    assert {*kept.repositories[0].removed} == {f"{WEB}:1.4"} | about_images(before, "1.4")
    assert names(tmp_path / "there").keys() == {f"{WEB}:1.3"} | about_images(after, "1.3")


@both_copies
@pytest.mark.parametrize("kind", ["oci", "oci-archive"])
def test_digest_tags_follow_an_image_with_a_full_name(copied: Copy, kind: str, tmp_path: Path) -> None:
    made = signed("1.4")
    source = f"oci:{under(WEB, made).write(tmp_path / 'here')}:{WEB}:1.4"
    tags = {tag_about(it) for it in (made.indexes["1.4"], *made.images["1.4"])}
    if kind == "oci":
        Layout.create(tmp_path / "named").close()  # in the name of a new layout, only a tag can follow the path

    whole = copied(source, f"{kind}:{tmp_path}/whole", referrers=True)
    named = copied(source, f"{kind}:{tmp_path}/named:acme/api:1", referrers=True)
    plain = copied(source, f"{kind}:{tmp_path}/plain:1", referrers=True)

    assert whole.digests.keys() == {f"{WEB}:{tag}" for tag in {"1.4"} | tags}
    assert named.digests.keys() == {f"acme/api:{tag}" for tag in {"1"} | tags}
    assert plain.digests.keys() == {"1"} | tags


def test_digest_tags_get_the_repository_of_their_image_and_go_back_to_a_registry(there: str, tmp_path: Path) -> None:
    made = signed("1")
    tags = {"1"} | {tag_about(it) for it in (made.indexes["1"], *made.images["1"])}
    copy(f"oci:{made.graph.write(tmp_path / 'here')}:1", there, referrers=True)

    with Layout.create(tmp_path / "named") as layout:
        copy(f"{there}:1", (layout, f"{WEB}:1"), referrers=True)
    done = copy(f"oci:{tmp_path}/named:{WEB}:1", f"{there}-again", referrers=True)

    assert names(tmp_path / "named").keys() == {f"{WEB}:{tag}" for tag in tags}
    assert done.digests.keys() == tags
    assert tags_of(f"{there}-again") == tags


@both_copies
def test_all_tags_with_platforms_copy_the_signatures_of_those(copied: Copy, tmp_path: Path) -> None:
    made = signed("1")
    source = f"oci:{under(WEB, made).write(tmp_path / 'here')}"

    done = copied(source, f"oci:{tmp_path}/there", tags="all", platforms=TWO, referrers=True)
    again = copied(source, f"oci:{tmp_path}/there", tags="all", platforms=TWO, referrers=True)

    signatures = {f"{WEB}:{tag_about(digest)}" for digest in made.digests_of("1")}
    assert done.digests.keys() == {f"{WEB}:1"} | signatures
    assert [it.digest for it in done.uncopied_referrers] == [
        names(tmp_path / "here")[f"{WEB}:{tag_about(made.indexes['1'])}"]
    ]
    assert again.is_unchanged


@both
@pytest.mark.parametrize("referrers", [False, True])
def test_sync_with_platforms_copies_no_digest_tag_of_its_own(run: Syncs, referrers: bool, tmp_path: Path) -> None:
    made = signed("1")
    source = f"oci:{under(WEB, made).write(tmp_path / 'here')}"

    done = run.sync(source, f"oci:{tmp_path}/there", platforms=TWO, referrers=referrers)

    followed = {f"{WEB}:{tag_about(digest)}" for digest in made.digests_of("1")} if referrers else set[str]()
    assert not done.failures
    assert names(tmp_path / "there").keys() == {f"{WEB}:1"} | followed


def test_a_filter_omits_digest_tags_with_a_repository(tmp_path: Path) -> None:
    source = f"oci:{under(WEB, signed('1')).write(tmp_path / 'here')}"

    plan = plan_sync(source, f"oci:{tmp_path}/there", tags=TagFilter(digest_tags=False))

    assert [it.tag for it in plan.repositories[0].copies] == [f"{WEB}:1"]


@both_copies
def test_digest_tags_of_two_repositories_are_all_copied(copied: Copy, tmp_path: Path) -> None:
    graph = Graph()
    image = graph.image([graph.add(b"layer")])
    for repository in ("acme/web", "acme/api"):
        graph.tag(graph.signature(f"for {repository}"), f"{repository}:{tag_about(image)}")
        graph.tag(image, f"{repository}:1")
    source = graph.write(tmp_path / "here")

    copied(f"oci:{source}", f"oci:{tmp_path}/all", tags="all", referrers=True)
    copied(f"oci:{source}", f"oci:{tmp_path}/web", tags=["acme/web:1"], referrers=True)
    copied(f"oci:{source}@{image['digest']}", f"oci:{tmp_path}/digest", referrers=True)

    found = names(source)
    assert names(tmp_path / "all") == found
    assert names(tmp_path / "web") == {name: found[name] for name in found if name.startswith("acme/web:")}
    assert names(tmp_path / "digest") == {name: found[name] for name in found if name.endswith(".sig")}


@both
def test_a_digest_tag_of_another_repository_is_not_left_out(run: Syncs, tmp_path: Path) -> None:
    graph = Graph()
    image = graph.image([graph.add(b"layer")])
    graph.tag(image, "acme/web:1")
    graph.tag(graph.signature("for another"), f"acme/api:{tag_about(image)}")
    source = graph.write(tmp_path / "here")

    run.sync(f"oci:{source}", f"oci:{tmp_path}/there", referrers=True)

    assert names(tmp_path / "there") == names(source)


def test_names_of_digest_tags_have_the_repository_of_the_destination() -> None:
    zero = f"sha256-{64 * '0'}.sig"
    plain, full = digest_tag(zero), digest_tag(f"acme/web:{zero}")
    assert plain is not None
    assert full is not None

    assert names_to_copy([plain], [("", "")], in_registry=True) == {zero: zero}
    assert names_to_copy([plain], [("", "acme/web")], in_registry=False) == {full.name: zero}
    assert names_to_copy([full], [("", "")], in_registry=False) == {full.name: full.name}
    assert names_to_copy([full], [("", "")], in_registry=True) == {zero: full.name}
    assert names_to_copy([full], [("acme/api", "acme/api")], in_registry=False) == {}
