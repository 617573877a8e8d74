"""Images and signatures that a plan must not lose: failed copies, and responses that only look like proofs."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dreg_client import (
    AddTag,
    CopyTag,
    DeleteManifest,
    Digest,
    Layout,
    MoveTag,
    Registry,
    RepositoryTagPlan,
    TagPlan,
    Untag,
    errors,
)
from tests.copying.graphs import INDEX, MANIFEST
from tests.faultserver import Heard, Network, answer, network, refusal
from tests.foreign.registry import Held, PlayedRegistry, plain
from tests.tagging.changing import Doing, Images, LayoutPlace, both, filled

PAGE = answer(b"<html>not here</html>", "404 Not Found", "Content-Type: text/html")


@pytest.fixture
def net(tmp_path: Path) -> Iterator[Network]:
    (tmp_path / "net").mkdir()
    with network(tmp_path / "net") as up:
        yield up


class Promotion:
    """An image with a signature, which is copied to another layout and then deleted; a blob is missing."""

    def __init__(self, folder: Path, images: Images, missing: bytes) -> None:
        self.source = filled(LayoutPlace(folder / "source"), images.graph, folder)
        self.destination = LayoutPlace(folder / "destination")
        (folder / "source/blobs" / Digest.of(missing).replace(":", "/")).unlink()
        (folder / "destination").mkdir()
        with Layout.create(folder / "destination"):
            pass

    def plan(self, copies: list[CopyTag], *removals: DeleteManifest | Untag) -> TagPlan:
        [copied] = self.destination.plan(*copies).repositories
        [removed] = self.source.plan(*removals).repositories
        return TagPlan(repositories=(copied, removed))

    def copy(self, digest: str, tag: str) -> CopyTag:
        return CopyTag(source=self.source.name, tag=tag, digest=Digest(digest), source_tag=tag, referrers=True)


def signed(name: str = "image", **indexes: list[str]) -> tuple[Images, Digest]:
    images = Images(name, **indexes)
    return images, images.sign(name)


@both
def test_tag_130_an_image_whose_signature_cannot_be_copied_is_not_tagged_and_stays(run: Doing, tmp_path: Path) -> None:
    images, signature = signed()
    images.tag("image", "1.0")
    promotion = Promotion(tmp_path, images, b"signature")
    removal = DeleteManifest(digest=images["image"], tags=("1.0",), referrers=(signature,))

    done = run.apply(promotion.plan([promotion.copy(images["image"], "1.0")], removal))

    assert (done.done, len(done.failures)) == ((), 2)
    assert promotion.destination.tags() == {}
    assert promotion.source.tags() == {"1.0": images["image"]}
    assert promotion.source.has(signature)


@both
def test_tag_130_neither_is_an_index_of_which_a_platform_has_such_a_signature(run: Doing, tmp_path: Path) -> None:
    images, signature = signed("amd64", index=["amd64"])
    images.tag("index", "1.0")
    promotion = Promotion(tmp_path, images, b"signature")
    removal = DeleteManifest(
        digest=images["index"], tags=("1.0",), platforms=(images["amd64"],), referrers=(signature,)
    )

    done = run.apply(promotion.plan([promotion.copy(images["index"], "1.0")], removal))

    assert (done.done, len(done.failures)) == ((), 2)
    assert all(map(promotion.source.has, [images["index"], images["amd64"], signature]))


@both
def test_tag_130_a_platform_that_fails_also_fails_under_its_own_tag(run: Doing, tmp_path: Path) -> None:
    images = Images("amd64", "other", index=["amd64"])
    images.tag("index", "1.0")
    images.tag("amd64", "1.0-amd64")
    images.tag("other", "2.0")
    promotion = Promotion(tmp_path, images, b"amd64")
    copies = [
        promotion.copy(images[name], tag) for name, tag in (("index", "1.0"), ("amd64", "1.0-amd64"), ("other", "2.0"))
    ]

    done = run.apply(promotion.plan(copies))

    assert [change.subject for change in done.done] == ["2.0"]
    assert len(done.failures) == 2
    assert promotion.destination.tags() == {"2.0": images["other"]}


@both
def test_tag_131_what_was_not_copied_is_not_deleted_with_something_else(run: Doing, tmp_path: Path) -> None:
    images, signature = signed("image")
    images.graph.tag(images.made["signature of image"], "signed")
    images.tag("image", "1.0")
    promotion = Promotion(tmp_path, images, b"signature")
    removals = (
        Untag(tag="1.0", digest=images["image"]),
        DeleteManifest(digest=signature, tags=("signed",)),
    )

    done = run.apply(promotion.plan([promotion.copy(images["image"], "1.0")], *removals))

    assert done.done == ()
    assert promotion.source.tags() == {"1.0": images["image"], "signed": signature}


class Repository:
    """A repository of a played registry, with an image that is to be deleted, and another one."""

    def __init__(self, net: Network, *, heads: bool = True) -> None:
        self.registry: PlayedRegistry = plain(net, "olareg")
        self.held = self.registry.held.setdefault("acme/web", Held())
        self.images = Images("old", "new", index=["old"])
        self.held.blobs |= self.images.graph.blobs
        self.index = self.images["index"]
        self.add("old", "1.0")
        self.add("new", "2.0")
        self.registry.host.requests.clear()
        if not heads:
            self.registry.host.on(
                "/v2/acme/web/manifests/*", refusal("404 Not Found", "MANIFEST_UNKNOWN"), method="HEAD"
            )

    def add(self, name: str, tag: str = "") -> None:
        digest = self.images[name]
        media_type = INDEX if name == "index" else MANIFEST
        self.held.manifests[digest] = self.images.graph.blobs[digest], media_type
        if tag:
            self.held.tags[tag] = digest

    def serve(self, reference: str, piece: bytes) -> None:
        self.registry.host.on(f"/v2/acme/web/manifests/{reference}", piece)

    def plan(self, *changes: Any) -> TagPlan:
        name = f"{self.registry.name}/acme/web"
        return TagPlan(repositories=(RepositoryTagPlan(repository=name, changes=changes),))

    def deletion(self) -> TagPlan:
        return self.plan(DeleteManifest(digest=self.images["old"], tags=("1.0",)))

    def keeps_everything(self) -> bool:
        return {self.images["old"], self.images["new"]} <= {*self.held.manifests}


@both
def test_tag_132_a_web_page_in_place_of_a_tag_keeps_all_manifests(run: Doing, net: Network) -> None:
    repository = Repository(net)
    repository.add("index", "release")
    repository.serve("release", PAGE)

    done = run.apply(repository.deletion(), plain_http=True)

    (failure,) = done.failures.values()
    assert "no manifest was deleted" in str(failure)
    assert repository.keeps_everything()


def test_tag_132_a_plan_says_that_such_a_tag_cannot_be_read(net: Network) -> None:
    repository = Repository(net)
    repository.add("index", "release")
    repository.serve("release", PAGE)

    with Registry(repository.registry.host.url) as registry:
        [found] = registry.repository("acme/web").plan().prune("1.0").make().repositories

    assert not found.changes
    assert [failure.tag for failure in found.failures] == ["release"]


@both
def test_tag_133_a_head_404_does_not_prove_that_a_tag_does_not_exist(run: Doing, net: Network) -> None:
    repository = Repository(net, heads=False)
    old, new = repository.images["old"], repository.images["new"]
    changes = (
        AddTag(tag="1.0", digest=new),
        Untag(tag="2.0", digest=old),
        MoveTag(tag="2.0", digest=old, replaces=repository.index),
    )
    for change in changes:
        done = run.apply(repository.plan(change), plain_http=True)

        assert [type(each) for each in done.failures.values()] == [errors.ConflictError]
    assert repository.held.tags == {"1.0": old, "2.0": new}


@both
def test_tag_133_nor_that_a_new_referrer_does_not(run: Doing, net: Network) -> None:
    repository = Repository(net, heads=False)
    signature = repository.images.sign("old")
    repository.held.manifests[signature] = repository.images.graph.blobs[signature], MANIFEST

    done = run.apply(repository.deletion(), plain_http=True)

    assert [type(each) for each in done.failures.values()] == [errors.ConflictError]
    assert repository.keeps_everything()


@both
def test_tag_133_where_head_works_a_new_tag_needs_no_other_request(run: Doing, net: Network) -> None:
    repository = Repository(net)
    changes = [AddTag(tag=f"1.0.{number}", digest=repository.images["old"]) for number in range(40)]

    done = run.apply(repository.plan(*changes), plain_http=True)

    assert len(done.done) == 40
    requests = repository.registry.host.requests
    assert sum(heard.method == "GET" for heard in requests if "manifests" in heard.path) == 1
    assert sum(heard.method == "HEAD" for heard in requests) <= 40 + 8


@both
def test_tag_134_an_index_at_a_tag_that_cannot_be_found_keeps_all_manifests(run: Doing, net: Network) -> None:
    repository = Repository(net)
    repository.add("index", "release")
    missing = refusal("404 Not Found", "MANIFEST_UNKNOWN")
    repository.registry.host.on(f"/v2/acme/web/manifests/{repository.index}", missing, method="GET")

    done = run.apply(repository.deletion(), plain_http=True)

    (failure,) = done.failures.values()
    assert "no manifest was deleted" in str(failure)
    assert repository.keeps_everything()


@both
def test_tag_134_an_index_whose_tag_is_deleted_meanwhile_protects_nothing(run: Doing, net: Network) -> None:
    repository = Repository(net)
    repository.add("index", "release")

    def before(heard: Heard) -> None:
        if heard.method == "GET" and heard.path.endswith(repository.index):
            repository.held.tags.pop("release", None)
            repository.held.manifests.pop(repository.index, None)

    repository.registry.before = before

    done = run.apply(repository.deletion(), plain_http=True)

    assert not done.failures
    assert repository.images["old"] not in repository.held.manifests


@pytest.mark.parametrize("name", ["acme/web", "oci:layout:1.0", "docker.io/acme/web:1.0", "oci-archive:web.tar"])
@both
def test_tag_137_a_plan_whose_repository_is_not_named_in_full_is_not_read_or_applied(
    run: Doing, name: str, tmp_path: Path
) -> None:
    change = Untag(tag="1.0", digest=Digest.of(b""))
    plan = TagPlan(repositories=(RepositoryTagPlan(repository=name, changes=(change,)),))

    with pytest.raises(errors.ConfigError, match=r"stranger\.json is not a valid plan: repositories\.0\.repository"):
        TagPlan.from_json(plan.to_json(), "stranger.json")
    with pytest.raises(errors.ConfigError, match=r"the plan is not a valid plan: repositories\.0\.repository"):
        run.apply(plan, journal=tmp_path / "changes.jsonl")
    assert not (tmp_path / "changes.jsonl").exists()
