"""Each kind of fault in the storage of a registry is found, with its rule, its path and its bytes, and nothing else."""

import json
import shutil
from pathlib import Path

import pytest

from dreg_client import Digest
from tests.commands import run_limited
from tests.registries import RunningRegistry, running
from tests.storage.planted import GONE, Found, Tree, write

WEB = "repositories/acme/web"


def link_of(digest: str, links: str = "_layers", repository: str = WEB) -> str:
    return f"{repository}/{links}/{digest.replace(':', '/')}/link"


def data_of(tree: Tree, digest: str) -> str:
    return str(tree.data(digest).relative_to(tree.v2))


def digest_at(tree: Tree, tag: str, repository: str = "acme/web") -> Digest:
    return Digest((tree.repository(repository) / f"_manifests/tags/{tag}/current/link").read_text())


def manifest_at(tree: Tree, digest: Digest) -> dict[str, list[dict[str, str]]]:
    found: dict[str, list[dict[str, str]]] = json.loads(tree.data(digest).read_bytes())
    return found


def layer_of(tree: Tree, tag: str = "1.3") -> str:
    return manifest_at(tree, digest_at(tree, tag))["layers"][0]["digest"]


def test_a_storage_of_docker_registry_has_no_findings(stored: Tree) -> None:
    assert stored.problems(blobs=True, complete=True, pedantic=True) == []


def test_a_storage_in_the_form_of_distribution_3_has_no_findings(tree: Tree) -> None:
    assert tree.problems(blobs=True, complete=True) == []


def test_links_to_blobs_that_are_gone(stored: Tree) -> None:
    """STO-01, of a layer and of a manifest; the layer of the manifest that is gone is then unreferenced."""
    layer, manifest = layer_of(stored), digest_at(stored, "1", "solo")
    stored.data(layer).unlink()
    for repository in ("acme/old", "testns/testrepo"):
        shutil.rmtree(stored.repository(repository))
    shutil.rmtree(stored.repository("solo/_layers"))
    found = stored.problems("acme/web")

    assert found == [Found("STO-01", "error", link_of(layer))]
    shutil.rmtree(stored.data(manifest).parent)
    of_tag = "repositories/solo/_manifests/tags/1/current/link"
    assert stored.problems("solo") == [
        Found("STO-01", "error", link_of(manifest, "_manifests/revisions", "repositories/solo")),
        Found("STO-03", "error", of_tag),
    ]


def test_blobs_with_other_bytes(stored: Tree) -> None:
    """STO-02; those of manifests and configs are also found without reading all blobs, and each once."""
    manifest = digest_at(stored, "1.3")
    layer, config = layer_of(stored), json.loads(stored.data(manifest).read_bytes())["config"]["digest"]
    for digest in (layer, config):
        raw = bytearray(stored.data(digest).read_bytes())
        raw[5] ^= 1
        stored.data(digest).write_bytes(raw)
    sizes = {digest: stored.data(digest).stat().st_size for digest in (layer, config)}
    damaged = [Found("STO-02", "error", data_of(stored, each), sizes[each]) for each in (layer, config)]

    assert stored.problems() == [damaged[1]]
    assert stored.problems(blobs=True) == sorted(damaged)
    assert stored.problems("acme/web", blobs=True) == sorted(damaged)


@pytest.mark.parametrize("cut", [0, 100])
def test_a_manifest_that_is_cut(stored: Tree, cut: int) -> None:
    manifest = digest_at(stored, "1.3")
    raw = stored.data(manifest).read_bytes()
    stored.data(manifest).write_bytes(raw[:cut])
    failures = list[str]()

    assert stored.problems(failures=failures) == [Found("STO-02", "error", data_of(stored, manifest), cut)]
    assert [str(stored.data(manifest)) in each for each in failures] == [True], "what it names is not known"


def test_a_config_that_is_cut_is_damaged(tree: Tree) -> None:
    config = json.loads(tree.data(digest_at(tree, "1.4")).read_bytes())["config"]["digest"]
    tree.data(config).write_bytes(tree.data(config).read_bytes()[:-1])

    assert tree.problems() == [Found("STO-02", "error", data_of(tree, config), tree.data(config).stat().st_size)]


def test_tags_without_a_manifest(stored: Tree) -> None:
    """STO-03: without a link, with a link to a manifest without a link, and with a link to any other digest."""
    tags = stored.repository("acme/web/_manifests/tags")
    (tags / "empty").mkdir()
    write(tags / "other/current/link", GONE.encode())
    old = digest_at(stored, "1", "solo")
    (stored.repository("solo") / "_manifests/revisions" / old.replace(":", "/") / "link").unlink()

    assert stored.problems() == [
        Found("STO-03", "error", f"{WEB}/_manifests/tags/empty"),
        Found("STO-03", "error", f"{WEB}/_manifests/tags/other/current/link"),
        Found("STO-03", "error", "repositories/solo/_manifests/tags/1/current/link"),
    ]


def test_uploads_left_behind(stored: Tree) -> None:
    """STO-04, with its bytes and its age; also in a repository that has nothing else."""
    stored.put_upload("acme/web", b"12345", "2026-01-02T03:04:05Z")
    stored.put_upload("never/pushed", b"1", "2026-01-02T03:04:05Z")
    place = "_uploads/0c6f1bd3-3ef1-4a31-b6b1-c8b3a5f5f6d0"

    assert stored.problems() == [
        Found("STO-04", "warning", f"{WEB}/{place}", 5),
        Found("STO-04", "warning", f"repositories/never/pushed/{place}", 1),
    ]


def test_an_upload_in_progress_is_only_a_note(own_registry: RunningRegistry) -> None:
    own_registry.put_blob("acme/web")
    own_registry.start_upload("acme/web")
    tree = Tree(own_registry.root / "storage")

    assert tree.problems() == [], "the blob is young, too"
    assert [(each.rule, each.severity) for each in tree.problems(pedantic=True)] == [
        ("STO-04", "note"),
        ("STO-05", "note"),
    ]


def test_unreferenced_blobs(stored: Tree) -> None:
    """STO-05, with their bytes: of the storage as a whole, not of a repository. A link is no reference."""
    alone = stored.put_blob(b"nothing names this")
    linked = stored.put_blob(b"no manifest names this")
    stored.link("acme/web", "_layers", linked)

    assert stored.problems() == sorted(
        [
            Found("STO-05", "warning", data_of(stored, alone), 18),
            Found("STO-05", "warning", data_of(stored, linked), 22),
        ]
    )
    assert stored.problems("acme/web") == []


def test_malformed_links(stored: Tree) -> None:
    """STO-06: in each place where links are, and each way in which they are malformed."""
    tags = stored.repository("acme/web/_manifests/tags")
    layer, manifest = layer_of(stored), digest_at(stored, "1", "solo")
    write(tags / "1.4/current/link", b"")
    write(tags / "1.3/index" / GONE.replace(":", "/") / "link", b"sha256:123")
    stored.link("acme/old", "_layers", layer, f"{layer}\n")
    stored.link("solo", "_layers", layer, str(GONE))
    stored.link("solo", "_manifests/revisions", manifest, "x" * 5000)
    link = stored.repository("testns/testrepo") / "_layers" / layer.replace(":", "/") / "link"
    link.unlink()
    link.mkdir()

    assert stored.problems(failures=(failures := [])) == sorted(
        [
            Found("STO-06", "error", f"{WEB}/_manifests/tags/1.4/current/link", 0),
            Found("STO-06", "error", f"{WEB}/_manifests/tags/1.3/index/{GONE.replace(':', '/')}/link"),
            Found("STO-06", "error", link_of(layer, repository="repositories/acme/old")),
            Found("STO-06", "error", link_of(layer, repository="repositories/solo")),
            Found("STO-06", "error", link_of(manifest, "_manifests/revisions", "repositories/solo")),
            Found("STO-06", "error", link_of(layer, repository="repositories/testns/testrepo"), 0),
        ]
    )
    assert [f"{manifest[7:]}/link is malformed" in each for each in failures] == [True], "and what that manifest names"


def test_a_directory_of_links_that_is_not_named_by_a_digest(tree: Tree) -> None:
    write(tree.repository("acme/web") / "_layers/sha256/123/link", GONE.encode())
    (tree.repository("acme/web") / "_layers/sha256/456").mkdir()

    assert tree.problems() == [Found("STO-06", "error", f"{WEB}/_layers/sha256/123/link")]


def test_links_by_sha512_lead_to_blobs_by_sha256(tree: Tree) -> None:
    """Distribution stores all blobs by their sha256 digest, and links other digests to it."""
    layer, other = Digest.of(b"by sha512"), Digest.of(b"by sha512", "sha512")
    named = {"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": other, "size": 9}
    tree.put_blob(b"by sha512")
    tree.link("acme/web", "_layers", other, layer)
    tree.put_image("acme/web", "sha512", b"layer one", layers=[named])

    assert tree.problems(blobs=True, complete=True) == []


def test_content_that_a_repository_does_not_have_is_missing(tree: Tree) -> None:
    """LYT-04, as for layouts: the manifest names a layer to which there is no link, and whose blob is gone."""
    layer = Digest.of(b"layer two")
    shutil.rmtree(tree.data(layer).parent)
    (tree.v2 / link_of(layer)).unlink()

    assert tree.problems() == [Found("LYT-04", "warning", f"acme/web@{layer}", 9)]
    assert tree.problems(complete=True) == [Found("LYT-04", "error", f"acme/web@{layer}", 9)]


def test_documents_are_validated_as_those_of_a_registry(tree: Tree) -> None:
    """Each manifest once, also one with two tags or without one; CFG-21 and other rules."""
    bad = tree.put_image("acme/web", "bad", b"a", b"b", layers=[])
    tree.tag("acme/web", "again", bad)
    found = tree.problems("acme/web")

    assert [each.source for each in found if each.rule == "CFG-21"] == ["acme/web:again"]
    shutil.rmtree(tree.repository("acme/web/_manifests/tags"))
    assert [each.source for each in tree.problems("acme/web") if each.rule == "CFG-21"] == [f"acme/web@{bad}"]


def test_after_deletions_blobs_are_unreferenced_and_after_garbage_collection_only_links_stay(tmp_path: Path) -> None:
    """The garbage collector of distribution 2 leaves the links of layers behind."""
    with running(tmp_path) as registry:
        registry.seed()
        tree = Tree(tmp_path / "storage")
        images = [
            ("acme/web", "1.4"),
            ("acme/web", "1.3"),
            ("acme/old", "1"),
            ("solo", "1"),
            ("testns/testrepo", "1.4"),
        ]
        for repository, tag in images:
            registry.delete(repository, digest_at(tree, tag, repository))
    tree.age()
    assert {each.rule for each in tree.problems()} == {"STO-05"}

    command = ["docker-registry", "garbage-collect", "--delete-untagged", str(tmp_path / "config.yml")]
    run_limited(command, check=True, capture_output=True)
    left = tree.repository("solo/_layers")
    assert [*left.glob("sha256/*/link")], "links to layers stay"
    assert tree.problems(blobs=True, complete=True) == []
    assert {each.rule for each in tree.problems(pedantic=True)} == {"STO-01"}
