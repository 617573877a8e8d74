"""Signatures of images of which some platforms are copied: at digest tags, and as referrers."""

import json
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest

from dreg_client import CopyResult, Layout, OciManifest, Registry, copy, sync
from tests.commands import run_limited
from tests.copying.flavours import Copy
from tests.copying.flavours import both as both_copies
from tests.copying.graphs import Descriptor, Graph, content, names
from tests.copying.sync_flavours import Syncs, both
from tests.copying.test_prune import Listing, layout_of, page, tags_of
from tests.registries import RunningRegistry, running

NUMBERS = count()
TWO = ["linux/amd64", "linux/arm64"]


@dataclass
class Signed:
    """Tags of images for three platforms, with signatures of the index and of each platform.

    Attributes:
        graph: The content.
        indexes: The index of each tag.
        images: The images of each tag: amd64, arm64, s390x.
    """

    graph: Graph = field(default_factory=Graph)
    indexes: dict[str, Descriptor] = field(default_factory=dict)
    images: dict[str, list[Descriptor]] = field(default_factory=dict)

    def add(self, tag: str, *, referrers: bool = False) -> None:
        graph = self.graph
        images = [
            {**graph.image([graph.add(f"{tag} {each}".encode())], each), "platform": platform(each)}
            for each in ("amd64", "arm64", "s390x")
        ]
        index = graph.index(images)
        graph.tag(index, tag)
        self.indexes[tag], self.images[tag] = index, images
        for each in (index, *images):
            self.sign(each)
            if referrers:
                subject = {name: each[name] for name in ("mediaType", "digest", "size")}
                graph.artifact([graph.add(f"sbom of {each['digest']}".encode())], subject=subject)

    def sign(self, it: Descriptor) -> None:
        self.graph.tag(self.graph.signature(f"signature of {it['digest']}"), tag_about(it))

    def digests_of(self, tag: str) -> list[str]:
        """The digests of the images for two platforms."""
        return [it["digest"] for it in self.images[tag][:2]]


def platform(architecture: str) -> dict[str, str]:
    return {"os": "linux", "architecture": architecture}


def tag_about(it: Descriptor | str, suffix: str = ".sig") -> str:
    digest = it if isinstance(it, str) else it["digest"]
    return f"{digest.replace(':', '-')}{suffix}"


def signed(*tags: str, referrers: bool = False) -> Signed:
    made = Signed()
    for tag in tags:
        made.add(tag, referrers=referrers)
    return made


@pytest.fixture
def there(registry: RunningRegistry) -> str:
    """The name of an empty repository."""
    return f"{registry.address}/signed/number-{next(NUMBERS)}"


def referrers_at(name: str, digest: str) -> int:
    """The number of referrers in a repository or a layout."""
    if name.startswith("oci:"):
        with Layout(name.removeprefix("oci:")) as layout:
            return len(layout.referrers(digest))
    host, _, repository = name.partition("/")
    with Registry(f"http://{host}") as opened:
        return len(opened.repository(repository).referrers(digest))


@both
def test_ten_tags_with_two_platforms_and_their_signatures_are_carried_to_another_registry(
    run: Syncs, there: str, tmp_path: Path
) -> None:
    tags = [f"1.{number}" for number in range(10)]
    made = signed(*tags[1:])
    made.add(tags[0], referrers=True)
    source = f"oci:{made.graph.write(tmp_path / 'here')}"
    assert not sync(source, there, referrers=True).failures  # the registry now has referrers tags, too

    disk = f"oci:{tmp_path}/disk"
    first = run.sync(there, disk, platforms=TWO, referrers=True)
    again = run.sync(there, disk, platforms=TWO, referrers=True)

    assert not first.failures
    assert not again.failures
    assert (first.copied, again.copied, again.skipped) == (30, 0, 10)  # ten tags and twenty of signatures
    assert again.repositories[0].manifests.count == again.repositories[0].blobs.count == 0
    signatures = {tag_about(it) for tag in tags for it in made.digests_of(tag)}
    assert names(tmp_path / "disk").keys() == {*tags} | signatures
    for done in (first, again):  # the signature of each index, and an SBOM
        assert len(done.repositories[0].uncopied_referrers) == 11

    carried = tmp_path / "carried"
    (tmp_path / "disk").rename(carried)
    (folder := tmp_path / "other").mkdir()
    with running(folder) as other:
        arrived = f"{other.address}/acme/app"
        assert not run.sync(f"oci:{carried}", arrived, referrers=True).failures
        assert not run.sync(f"oci:{carried}", arrived, referrers=True).copied
        verify(arrived, made, {tag: names(carried)[tag] for tag in tags}, signatures)
        assert not run.sync(arrived, f"oci:{tmp_path}/back", referrers=True).failures
    assert names(tmp_path / "back") == names(carried)
    assert content(tmp_path / "back") == content(carried)


def verify(name: str, made: Signed, digests: dict[str, str], signatures: set[str]) -> None:
    """Check that a repository has the images, their signatures and SBOMs, with skopeo and dreg-client."""
    host, _, repository = name.partition("/")
    with Registry(f"http://{host}") as opened:
        for tag, digest in digests.items():
            assert opened.repository(repository).resolve(tag).digest == digest
            image = opened.repository(repository).get_image(tag)
            assert [it.digest for it in image.entries] == made.digests_of(tag)
    for signature in signatures:
        assert json.loads(inspected(f"{name}:{signature}"))["config"]["mediaType"]
    for tag in digests:
        assert len(json.loads(inspected(f"{name}:{tag}"))["manifests"]) == 2
    assert [referrers_at(name, digest) for digest in made.digests_of("1.0")] == [1, 1]


def inspected(name: str) -> bytes:
    command = ["skopeo", "inspect", "--raw", "--tls-verify=false", f"docker://{name}"]
    return run_limited(command, check=True, capture_output=True).stdout


@both_copies
@pytest.mark.parametrize("kind", ["oci", "oci-archive"])
def test_all_tags_with_platforms_leave_signatures_to_their_images(copied: Copy, kind: str, tmp_path: Path) -> None:
    made = signed("1", "2")
    source = f"oci:{made.graph.write(tmp_path / 'here')}"
    there = f"{kind}:{tmp_path}/there"

    alone = copied(source, there, tags="all", platforms=TWO)
    with_signatures = copied(source, there, tags="all", platforms=TWO, referrers=True)
    again = copied(source, there, tags="all", platforms=TWO, referrers=True)

    assert alone.digests.keys() == {"1", "2"}
    assert not alone.uncopied_referrers
    signatures = {tag_about(it) for tag in ("1", "2") for it in made.digests_of(tag)}
    assert with_signatures.digests.keys() == {"1", "2"} | signatures
    assert {*with_signatures.tagged} == signatures
    assert again.is_unchanged


@both
def test_without_referrers_signatures_are_left_alone(run: Syncs, there: str, tmp_path: Path) -> None:
    source = f"oci:{signed('1').graph.write(tmp_path / 'here')}"

    done = run.sync(source, there, platforms=TWO)

    assert (done.copied, done.failures) == (1, {})
    assert tags_of(there) == {"1"}


def referrers_tag(signatures: Signed, it: Descriptor, text: str) -> None:
    """Add a referrer, and the list of it as registries without a list of their own have it."""
    graph = signatures.graph
    entry = graph.artifact([graph.add(text.encode())], annotations={"of": it["digest"]})
    graph.tag(graph.index([entry]), tag_about(it, ""))


@both_copies
def test_all_tags_and_referrers_copy_each_signature_once(copied: Copy, there: str, tmp_path: Path) -> None:
    made = signed("1", referrers=True)
    elsewhere = {"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": f"sha256:{64 * 'a'}", "size": 1}
    made.sign(elsewhere)  # the signature of an image in another repository
    referrers_tag(made, elsewhere, "sbom")
    referrers_tag(made, made.indexes["1"], "a list that is outdated")
    source = made.graph.write(tmp_path / "here")

    done = copied(f"oci:{source}", there, tags="all", referrers=True)

    found = names(source)
    ordinary = found.keys() - {tag_about(made.indexes["1"], "")}
    assert done.digests.keys() == ordinary
    assert len(done.tagged) == len({*done.tagged}) == len(ordinary)
    assert referrers_at(there, made.indexes["1"]["digest"]) == 1
    assert referrers_at(there, elsewhere["digest"]) == 1
    with Registry(f"http://{there.partition('/')[0]}") as opened:
        repository = opened.repository(there.partition("/")[2])
        assert all(repository.resolve(tag).digest == found[tag] for tag in ordinary)


@both
def test_a_list_of_referrers_that_a_registry_keeps_is_not_synchronised_as_a_tag(
    run: Syncs, there: str, tmp_path: Path
) -> None:
    made = signed("1", referrers=True)
    referrers_tag(made, made.indexes["1"], "a list that is outdated")
    source = made.graph.write(tmp_path / "here")

    first = run.sync(f"oci:{source}", there, referrers=True)
    again = run.sync(f"oci:{source}", there, referrers=True)

    assert first.copied == 5
    assert (again.copied, again.skipped, again.repositories[0].manifests.count) == (0, 5, 0)
    assert referrers_at(there, made.indexes["1"]["digest"]) == 1


@both_copies
def test_signatures_of_indexes_that_are_copied_in_part_are_told(copied: Copy, tmp_path: Path) -> None:
    made = signed("1", referrers=True)
    index = made.indexes["1"]
    source = made.graph.write(tmp_path / "here")
    referrer = next(digest for digest, subject in made.graph.subjects.items() if subject == index["digest"])
    lost = {referrer, names(source)[tag_about(index)]}

    def told(platforms: list[str]) -> CopyResult:
        return copied(f"oci:{source}:1", f"oci:{tmp_path}/there-{len(platforms)}", platforms=platforms, referrers=True)

    assert {it.digest for it in told(TWO).uncopied_referrers} == lost
    assert {it.digest for it in told(TWO[:1]).uncopied_referrers} == lost  # the manifest of one platform
    assert not told([*TWO, "linux/s390x"]).uncopied_referrers
    assert tag_about(index) not in names(tmp_path / "there-2")
    assert tag_about(index) in names(tmp_path / "there-3")


@both_copies
def test_artifacts_have_no_platforms_and_are_copied_whole(copied: Copy, tmp_path: Path) -> None:
    made = signed("1")
    chart = made.graph.artifact([made.graph.add(b"chart")])
    made.graph.tag(chart, "chart")
    made.graph.tag(made.graph.index([chart]), "charts")
    source = made.graph.write(tmp_path / "here")

    done = copied(f"oci:{source}", f"oci:{tmp_path}/there", tags="all", platforms=TWO)
    one = copied(f"oci:{source}:{tag_about(made.indexes['1'])}", f"oci:{tmp_path}/one", platforms=TWO)

    assert done.digests.keys() == {"1", "chart", "charts"}
    assert all(names(tmp_path / "there")[tag] == names(source)[tag] for tag in ("chart", "charts"))
    assert {*one.digests.values()} == {names(source)[tag_about(made.indexes["1"])]}
    assert not sync(f"oci:{source}", f"oci:{tmp_path}/synced", platforms=TWO).failures


# --- prune


def pruned(run: Syncs, there: str, source: Signed, folder: Path, **options: Any) -> set[str]:
    done = run.sync(f"oci:{source.graph.write(folder)}", there, prune=True, **options)
    assert not done.failures
    return {*done.repositories[0].removed}


@both
def test_signatures_of_a_removed_index_and_of_its_images_are_removed(run: Syncs, there: str, tmp_path: Path) -> None:
    made = signed("1.3", "1.4")
    run.sync(f"oci:{made.graph.write(tmp_path / 'before')}", there)
    of_old = {"1.4"} | {tag_about(it) for it in (made.indexes["1.4"], *made.images["1.4"])}

    assert pruned(run, there, signed("1.3"), tmp_path / "after") == of_old
    assert tags_of(there) == {"1.3"} | {tag_about(it) for it in (made.indexes["1.3"], *made.images["1.3"])}


@both
def test_signatures_that_are_deleted_after_their_image_are_removed_later(
    run: Syncs, there: str, tmp_path: Path
) -> None:
    made = signed("1.3", "1.4")
    of_old = {tag_about(it) for it in (made.indexes["1.4"], *made.images["1.4"])}
    run.sync(f"oci:{made.graph.write(tmp_path / 'before')}", there)
    made.graph.entries = [it for it in made.graph.entries if it.get("annotations", {}).values() != {"1.4"}]
    made.graph.entries = [it for it in made.graph.entries if it["digest"] != made.indexes["1.4"]["digest"]]

    assert pruned(run, there, made, tmp_path / "between") == {"1.4"}  # the source still has the signatures
    assert pruned(run, there, signed("1.3"), tmp_path / "after") == of_old
    assert pruned(run, there, signed("1.3"), tmp_path / "again") == set()


@both
def test_filters_that_do_not_choose_signatures_remove_only_those_of_removed_images(
    run: Syncs, there: str, tmp_path: Path
) -> None:
    made = signed("1.3", "1.4")
    run.sync(f"oci:{made.graph.write(tmp_path / 'before')}", there)
    elsewhere = {"digest": f"sha256:{64 * 'a'}"}
    other = Signed()
    other.sign(elsewhere)
    run.sync(f"oci:{other.graph.write(tmp_path / 'other')}", there)
    of_old = {"1.4"} | {tag_about(it) for it in (made.indexes["1.4"], *made.images["1.4"])}

    assert pruned(run, there, signed("1.3"), tmp_path / "after", tags=["1.*"]) == of_old
    assert tag_about(elsewhere) in tags_of(there)
    assert pruned(run, there, signed("1.3"), tmp_path / "again") == {tag_about(elsewhere)}


@both
def test_signatures_of_what_other_tags_lead_to_stay(run: Syncs, there: str, tmp_path: Path) -> None:
    made = signed("1")
    run.sync(f"oci:{made.graph.write(tmp_path / 'before')}", there)
    after = Signed()  # a new index has one of the images; the source has deleted all signatures
    image = after.graph.image([after.graph.add(b"1 amd64")], "amd64")
    assert image["digest"] == made.images["1"][0]["digest"]
    after.graph.tag(after.graph.index([{**image, "platform": platform("amd64")}]), "2")

    removed = pruned(run, there, after, tmp_path / "after")

    assert tags_of(there) == {"2", tag_about(image)}
    assert len(removed) == 4


@both
def test_lists_of_referrers_of_referrers_stay(run: Syncs, there: str, tmp_path: Path) -> None:
    graph = Graph()
    image = graph.image([graph.add(b"layer")])
    sbom = graph.artifact([graph.add(b"sbom")], subject=image)
    graph.artifact([graph.add(b"signature of the sbom")], subject=sbom)
    graph.tag(image, "1")
    source = f"oci:{graph.write(tmp_path / 'here')}"

    run.sync(source, there, referrers=True)
    done = run.sync(source, there, referrers=True, prune=True)  # the registry has referrers tags, the layout has none

    assert not done.removed
    assert tags_of(there) == {"1", tag_about(image, ""), tag_about(sbom, "")}


@both
def test_a_list_that_lacks_a_signature_of_the_source_removes_nothing(run: Syncs, there: str, tmp_path: Path) -> None:
    signature = tag_about(f"sha256:{64 * 'a'}")
    run.sync(layout_of(tmp_path / "before", "1", "2", signature), there)
    registry = Listing(["1", signature], lambda _: page("1"))

    done = run.sync(
        "registry.example/acme/web",
        there,
        prune=True,
        source_options={"transport": httpx.MockTransport(registry), "retries": 0},
    )

    assert done.removed == 0
    assert f"incomplete: it has the tag {signature}" in done.repositories[0].not_pruned
    assert tags_of(there) == {"1", "2", signature}


@both
def test_a_list_of_referrers_in_the_destination_is_not_replaced(run: Syncs, there: str, tmp_path: Path) -> None:
    """It may have signatures that were made for the mirror."""
    made = signed("1.4", referrers=True)
    source, digest = f"{there}-source", made.indexes["1.4"]["digest"]
    assert not sync(f"oci:{made.graph.write(tmp_path / 'here')}", source, referrers=True).failures
    run.sync(source, there)
    host, _, repository = there.partition("/")
    with Registry(f"http://{host}") as opened:
        mirror = opened.repository(repository)
        empty = mirror.push_blob(b"{}", media_type="application/vnd.oci.empty.v1+json")
        own = OciManifest.build(
            schema_version=2,
            media_type="application/vnd.oci.image.manifest.v1+json",
            artifact_type="a/own",
            config=empty,
            layers=[empty],
            subject=mirror.resolve("1.4"),
        )
        mirror.put_manifest(own)
    assert referrers_at(there, digest) == 2

    again, copied = run.sync(source, there), copy(source, there, tags="all")

    assert not again.failures
    assert copied.not_replaced == (tag_about(digest, ""),)
    assert referrers_at(there, digest) == 2
