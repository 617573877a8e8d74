"""Copies from layout to layout, by threads and by asyncio."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings

from dreg_client import Layout, copy, errors
from tests.copying.flavours import Copy, both
from tests.copying.graphs import LAYER, Graph, content, graphs, names
from tests.registries import LAYOUT


@both
@settings(max_examples=25)
@given(graphs())
def test_the_destination_holds_exactly_the_closure(copied: Copy, graph: Graph) -> None:
    with TemporaryDirectory() as folder:
        source, there = graph.write(Path(folder, "a")), Path(folder, "b")
        root = names(source)["last"]

        first = copied(f"oci:{source}:last", f"oci:{there}")
        again = copied(f"oci:{source}:last", f"oci:{there}")

        assert content(there).keys() == graph.closure([root])
        assert names(there) == {"last": root}
        assert first.digest == again.digest == root
        assert again.is_unchanged
        assert again.skipped.count == first.copied.count


@both
@settings(max_examples=25)
@given(graphs())
def test_with_referrers_it_holds_what_refers_to_any_of_it_too(copied: Copy, graph: Graph) -> None:
    with TemporaryDirectory() as folder:
        source, there = graph.write(Path(folder, "a")), Path(folder, "b")
        root = names(source)["last"]

        copied(f"oci:{source}:last", f"oci:{there}", referrers=True)

        assert content(there).keys() == graph.closure([root], referrers=True)
        with Layout(source) as here, Layout(there) as layout:
            for digest in graph.named.keys() & content(there).keys():
                assert {it.digest for it in layout.referrers(digest)} == {it.digest for it in here.referrers(digest)}
        assert copied(f"oci:{source}:last", f"oci:{there}", referrers=True).is_unchanged


@both
@settings(max_examples=10)
@given(graphs())
def test_a_dry_run_says_what_a_copy_does_and_writes_nothing(copied: Copy, graph: Graph) -> None:
    with TemporaryDirectory() as folder:
        source, there = graph.write(Path(folder, "a")), Path(folder, "b")

        planned = copied(f"oci:{source}", f"oci:{there}", tags="all", dry_run=True)
        assert not there.exists()
        done = copied(f"oci:{source}", f"oci:{there}", tags="all")

        assert (planned.digests, planned.copied, planned.manifests) == (done.digests, done.copied, done.manifests)
        assert planned.is_dry_run
        assert not done.is_dry_run


def test_all_tags_are_copied_and_shared_blobs_once(tmp_path: Path) -> None:
    done = copy(f"oci:{LAYOUT}", f"oci:{tmp_path}/there", tags="all")

    assert content(tmp_path / "there") == content(LAYOUT)
    assert names(tmp_path / "there") == names(LAYOUT)
    assert done.copied.count + done.manifests.count == len(content(LAYOUT))


def test_some_tags_are_copied(tmp_path: Path) -> None:
    done = copy(f"oci:{LAYOUT}", f"oci:{tmp_path}/there", tags=["single", "artifact"])

    assert done.digests.keys() == names(tmp_path / "there").keys() == {"single", "artifact"}
    with pytest.raises(errors.ConflictError, match="2 manifests were copied"):
        _ = done.digest


def test_one_platform_copies_its_manifest_unchanged(tmp_path: Path) -> None:
    with Layout(LAYOUT) as layout:
        [image] = [it for it in layout.get_image("1.4").entries if it.platform and it.platform.architecture == "arm64"]

    done = copy(f"oci:{LAYOUT}:1.4", f"oci:{tmp_path}/there:arm", platforms=["linux/arm64"])

    assert done.digest == image.digest
    assert not done.mapping
    assert names(tmp_path / "there") == {"arm": image.digest}


def test_several_platforms_become_a_new_index_with_their_attestations(tmp_path: Path) -> None:
    done = copy(f"oci:{LAYOUT}:1.4", f"oci:{tmp_path}/there", platforms=["linux/arm64", "linux/amd64"])

    old = names(LAYOUT)["1.4"]
    before, after = (
        json.loads(content(it)[digest]) for it, digest in ((LAYOUT, old), (tmp_path / "there", done.digest))
    )
    kept = [it for it in before["manifests"] if it in after["manifests"]]
    assert after == {**before, "manifests": kept}
    platforms = {it["platform"]["architecture"] for it in kept if it["platform"]["os"] != "unknown"}
    assert platforms == {"arm64", "amd64"}
    subjects = {it["annotations"]["vnd.docker.reference.digest"] for it in kept if it["platform"]["os"] == "unknown"}
    assert subjects <= {it["digest"] for it in kept}
    assert done.mapping == {old: done.digest}


def test_all_platforms_leave_an_index_as_it_is(tmp_path: Path) -> None:
    graph = Graph()
    images = [
        {**graph.image([], each), "platform": {"os": "linux", "architecture": each}} for each in ("amd64", "arm64")
    ]
    graph.tag(graph.index(images), "1")
    source = graph.write(tmp_path / "here")

    done = copy(f"oci:{source}:1", f"oci:{tmp_path}/there", platforms=["linux/arm64", "linux/amd64"])

    assert done.digest == names(source)["1"]
    assert not done.mapping


def test_platforms_of_nested_indexes_keep_the_nesting(tmp_path: Path) -> None:
    done = copy(f"oci:{LAYOUT}:nested", f"oci:{tmp_path}/there", platforms=["linux/arm64", "linux/amd64"])

    assert len(done.mapping) == 2
    with Layout(tmp_path / "there") as layout:
        assert len(layout.get_image("nested").platforms) == 2


def test_a_platform_that_is_not_there_is_an_error_and_nothing_is_written(tmp_path: Path) -> None:
    with pytest.raises(errors.PlatformNotFoundError, match="linux/s390x"):
        copy(f"oci:{LAYOUT}:1.4", f"oci:{tmp_path}/there", platforms=["linux/amd64", "linux/s390x"])

    assert not (tmp_path / "there").exists()


def test_referrers_of_a_replaced_index_are_listed_and_not_copied(tmp_path: Path) -> None:
    graph = Graph()
    images = [
        {**graph.image([], each), "platform": {"os": "linux", "architecture": each}}
        for each in ("amd64", "arm64", "s390x")
    ]
    index = graph.index(images)
    signature = graph.artifact([graph.add(b"signature")], subject=index)
    other = graph.artifact([graph.add(b"sbom")], subject={**images[0], "platform": None})
    graph.tag(index, "1")
    source = graph.write(tmp_path / "here")

    done = copy(f"oci:{source}:1", f"oci:{tmp_path}/there", platforms=["linux/amd64", "linux/arm64"], referrers=True)

    assert [it.digest for it in done.uncopied_referrers] == [signature["digest"]]
    assert other["digest"] in content(tmp_path / "there")
    assert signature["digest"] not in content(tmp_path / "there")


def test_tags_of_cosign_are_copied_with_the_referrers(tmp_path: Path) -> None:
    graph = Graph()
    image = graph.image([graph.add(b"layer")])
    tag = image["digest"].replace(":", "-") + ".sig"
    graph.tag(image, "1")
    graph.tag(graph.artifact([graph.add(b"signature")]), tag)
    source = graph.write(tmp_path / "here")

    done = copy(f"oci:{source}:1", f"oci:{tmp_path}/there", referrers=True)

    assert names(tmp_path / "there") == names(source)
    assert done.digests.keys() == {"1", tag}


def test_no_clobber_replaces_no_tag_of_another_manifest(tmp_path: Path) -> None:
    copy(f"oci:{LAYOUT}:single", f"oci:{tmp_path}/there:1.4")

    with pytest.raises(errors.ConflictError, match=r"1\.4"):
        copy(f"oci:{LAYOUT}:1.4", f"oci:{tmp_path}/there", no_clobber=True)
    assert copy(f"oci:{LAYOUT}:single", f"oci:{tmp_path}/there:1.4", no_clobber=True).is_unchanged
    done = copy(f"oci:{LAYOUT}", f"oci:{tmp_path}/there", tags="all", no_clobber=True)

    assert done.not_replaced == ("1.4",)
    assert names(tmp_path / "there") == {**names(LAYOUT), "1.4": names(LAYOUT)["single"]}


def test_a_digest_of_the_destination_must_be_that_of_the_copy(tmp_path: Path) -> None:
    single, other = names(LAYOUT)["single"], names(LAYOUT)["1.4"]

    with pytest.raises(errors.DigestMismatchError):
        copy(f"oci:{LAYOUT}:single", f"oci:{tmp_path}/there@{other}")
    done = copy(f"oci:{LAYOUT}:single", f"oci:{tmp_path}/there@{single}")

    assert done.digests == {single: single}
    with Layout(tmp_path / "there") as layout:
        assert layout.resolve("").digest == single


def test_a_layer_that_clients_download_elsewhere_is_left_out_if_it_is_missing(tmp_path: Path) -> None:
    graph = Graph()
    foreign = graph.add(b"windows", "application/vnd.oci.image.layer.nondistributable.v1.tar")
    layer = graph.add(b"own", LAYER)
    graph.tag(graph.image([{**foreign, "urls": ["https://windows.example/layer"]}, layer]), "1")
    source = graph.write(tmp_path / "here")
    complete = copy(f"oci:{source}:1", f"oci:{tmp_path}/complete")
    (source / "blobs" / foreign["digest"].replace(":", "/")).unlink()

    done = copy(f"oci:{source}:1", f"oci:{tmp_path}/there")

    assert not complete.left_out
    assert [it.digest for it in done.left_out] == [foreign["digest"]]
    assert names(tmp_path / "there") == names(source)


@both
def test_a_blob_that_is_missing_or_wrong_leaves_the_tags_as_they_were(copied: Copy, tmp_path: Path) -> None:
    graph = Graph()
    good, bad = graph.add(b"good" * 9), graph.add(b"bad")
    graph.tag(graph.image([good, bad]), "1")
    source = graph.write(tmp_path / "here")
    file = source / "blobs" / bad["digest"].replace(":", "/")

    file.write_bytes(b"wrong")
    with pytest.raises(errors.SizeMismatchError):
        copied(f"oci:{source}:1", f"oci:{tmp_path}/there")
    file.write_bytes(b"dab")
    with pytest.raises(errors.DigestMismatchError):
        copied(f"oci:{source}:1", f"oci:{tmp_path}/there")
    file.unlink()
    with pytest.raises(errors.NotFoundError):
        copied(f"oci:{source}:1", f"oci:{tmp_path}/there")

    assert names(tmp_path / "there") == {}
    assert bad["digest"] not in content(tmp_path / "there")


def test_a_destination_that_has_lost_a_blob_gets_it_again(tmp_path: Path) -> None:
    copy(f"oci:{LAYOUT}:1.4", f"oci:{tmp_path}/there")
    lost = min(content(tmp_path / "there").items(), key=lambda it: (it[1][:1] == b"{", it[0]))[0]
    (tmp_path / "there/blobs" / lost.replace(":", "/")).unlink()

    done = copy(f"oci:{LAYOUT}:1.4", f"oci:{tmp_path}/there")

    assert done.copied.count == 1
    assert lost in content(tmp_path / "there")


def test_an_open_store_is_copied_and_stays_open(tmp_path: Path) -> None:
    with Layout(LAYOUT) as source, Layout.create(tmp_path / "there") as destination:
        done = copy((source, "single"), (destination, "own-name"))
        assert source.get_manifest("single").digest == destination.get_manifest("own-name").digest == done.digest


def test_what_makes_no_sense_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="platforms="):
        copy(f"oci:{LAYOUT}:1.4", f"oci:{tmp_path}/there", platforms="linux/amd64")
    with pytest.raises(ValueError, match="empty"):
        copy(f"oci:{LAYOUT}:1.4", f"oci:{tmp_path}/there", platforms=[])
    with pytest.raises(TypeError, match="tags="):
        copy(f"oci:{LAYOUT}:1.4", f"oci:{tmp_path}/there", tags="1.4")
    with pytest.raises(ValueError, match="must not name a tag"):
        copy(f"oci:{LAYOUT}", f"oci:{tmp_path}/there:1", tags="all")
    with pytest.raises(TypeError, match="a store"):
        copy(LAYOUT, f"oci:{tmp_path}/there:1")  # type: ignore[arg-type]
