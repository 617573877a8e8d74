"""STO-01 names the tags that lead to a blob that is gone."""

import shutil

import pytest

from dreg_client import Digest
from tests.storage.planted import GONE, Tree

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
LAYER = Digest.of(b"layer one")


def after_gone(tree: Tree, digest: Digest, *, pedantic: bool = False) -> list[str]:
    """Return what is said of a blob besides that it is gone."""
    start = f"a link to {digest}, which is gone"
    found = tree.texts("STO-01", pedantic=pedantic)
    return [text.removeprefix(start).removeprefix("; ") for text in found if text.startswith(start)]


def manifest_of(tree: Tree, tag: str = "1.4") -> Digest:
    return Digest((tree.repository("acme/web") / f"_manifests/tags/{tag}/current/link").read_text())


def described(tree: Tree, digest: Digest) -> dict[str, object]:
    return {"mediaType": MANIFEST, "digest": digest, "size": tree.data(digest).stat().st_size}


def lose(tree: Tree, digest: Digest) -> None:
    shutil.rmtree(tree.data(digest).parent)


def untag(tree: Tree, tag: str) -> None:
    shutil.rmtree(tree.repository("acme/web") / "_manifests/tags" / tag)


def test_a_layer_that_is_gone_names_the_first_tags_and_the_number_of_the_others(tree: Tree) -> None:
    """Also those of other manifests with the layer, and several of one manifest."""
    tree.tag("acme/web", "latest", manifest_of(tree))
    tree.put_image("acme/web", "1.3", b"layer one", b"another")
    tree.put_image("acme/web", "1.5", b"another alone")
    lose(tree, LAYER)
    assert after_gone(tree, LAYER) == ["needed by the tags 1.3, 1.4, latest"]

    tree.put_image("acme/web", "2", b"layer one", b"yet another")
    tree.tag("acme/web", "2.0", manifest_of(tree, "2"))
    lose(tree, LAYER)
    assert after_gone(tree, LAYER) == ["needed by the tags 1.3, 1.4, 2 and 2 more"]


@pytest.mark.parametrize("depth", [1, 2])
def test_a_layer_of_a_platform_names_the_tag_of_the_index(tree: Tree, depth: int) -> None:
    entry: dict[str, object] = described(tree, manifest_of(tree))
    for _ in range(depth):
        entry = tree.put_document("acme/web", mediaType=INDEX, manifests=[entry])
    untag(tree, "1.4")
    tree.tag("acme/web", "multi", str(entry["digest"]))
    lose(tree, LAYER)

    assert after_gone(tree, LAYER) == ["needed by the tag multi"]


def test_a_manifest_that_is_gone_names_its_tag_and_that_of_the_index(tree: Tree) -> None:
    index = tree.put_document("acme/web", mediaType=INDEX, manifests=[described(tree, manifest_of(tree))])
    tree.tag("acme/web", "multi", str(index["digest"]))
    digest = manifest_of(tree)
    lose(tree, digest)

    assert after_gone(tree, digest) == ["needed by the tags 1.4, multi"]


def test_a_layer_of_a_referrer_names_the_tag_of_its_subject(tree: Tree) -> None:
    subject = described(tree, manifest_of(tree))
    tree.put_image("acme/web", "signature", b"a signature", subject=subject)
    untag(tree, "signature")
    lose(tree, Digest.of(b"a signature"))

    assert after_gone(tree, Digest.of(b"a signature")) == ["needed by the tag 1.4"]


def test_a_blob_that_no_tag_leads_to_says_so_unless_a_tag_or_a_manifest_is_not_known(tree: Tree) -> None:
    other = tree.put_image("acme/web", "1.5", b"another")
    untag(tree, "1.4")
    lose(tree, LAYER)
    assert after_gone(tree, LAYER) == ["no tag leads to it"]

    link = tree.repository("acme/web") / "_manifests/tags/1.5/current/link"
    link.write_text("x")
    assert after_gone(tree, LAYER) == [""], "the malformed tag may have named it"
    untag(tree, "1.5")
    link_to_gone = tree.link("acme/web", "_manifests/revisions", GONE)
    assert after_gone(tree, LAYER) == [""], "the manifest that is gone may be an index"
    assert after_gone(tree, GONE) == ["no tag leads to it"]
    link_to_gone.unlink()
    tree.data(other).write_bytes(b"{")
    assert after_gone(tree, LAYER) == [""], "the damaged manifest may be an index"


def test_a_layer_that_is_gone_is_an_error_if_a_manifest_is_gone_that_may_name_it(tree: Tree) -> None:
    lose(tree, manifest_of(tree))
    lose(tree, LAYER)

    assert after_gone(tree, LAYER) == [""]


def test_a_layer_that_no_manifest_names_is_a_note_without_tags(tree: Tree) -> None:
    tree.link("acme/web", "_layers", GONE)

    assert after_gone(tree, GONE) == []
    assert after_gone(tree, GONE, pedantic=True) == [""]
