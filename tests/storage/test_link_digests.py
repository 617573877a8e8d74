"""What a link promises is verified by the digest of the link, in text, in partitions, and by `copy`."""

import hashlib
import json
from pathlib import Path

import pytest

from dreg_client import Digest, copy, errors
from dreg_client.partitions.partition import PartitionRules
from dreg_client.partitions.storage.reports import StorageRun
from dreg_client.values.reference import RepositoryName
from tests.storage.planted import Found, Tree, age

WRONG = Digest(f"sha512:{'b' * 128}")
LAYER = b"a layer that has two digests"


def sha512(octets: bytes) -> Digest:
    return Digest(f"sha512:{hashlib.sha512(octets).hexdigest()}")


def link_of(digest: Digest, links: str) -> str:
    return f"repositories/acme/web/{links}/{digest.replace(':', '/')}/link"


def in_text(tree: Tree, repository: str = "", *, blobs: bool, jobs: int = 1) -> list[Found]:
    """Check the storage as without partitions, ignoring that blobs of damaged manifests are not known."""
    found, of = list[Found](), RepositoryName(repository) if repository else None
    try:
        for each in StorageRun(str(tree.path), of, PartitionRules(blobs=blobs), jobs).reports():
            place = each.name.removeprefix(f"{tree.v2}/").removeprefix(f"{tree.name}/")
            found += (Found(it.rule, str(it.severity), place, each.report.size) for it in each.report.problems)
    except errors.LayoutError as failure:
        assert "not known which blobs are unreferenced" in str(failure)  # noqa: PT017 (it is raised at the end)
    return sorted(found)


def everywhere(tree: Tree, *, blobs: bool) -> list[Found]:
    """Check the storage in all ways; return what they agree about."""
    found = tree.problems(blobs=blobs, failures=[])
    assert found == in_text(tree, blobs=blobs) == in_text(tree, blobs=blobs, jobs=2)
    assert [each for each in found if "acme/web" in each.source] == [
        each for each in in_text(tree, "acme/web", blobs=blobs) if "acme/web" in each.source
    ]
    return found


def put_layer(tree: Tree, tag: str, digest: Digest, octets: bytes = LAYER) -> Digest:
    """Store an image with a layer that is named by this digest; return that of its blob."""
    target = tree.put_blob(octets)
    tree.link("acme/web", "_layers", digest, target)
    layer = {"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": digest, "size": len(octets)}
    tree.put_image("acme/web", tag, LAYER, layers=[layer])
    return target


@pytest.mark.parametrize("blobs", [False, True])
def test_val_184_a_manifest_whose_link_has_another_digest_is_reported_everywhere(tree: Tree, *, blobs: bool) -> None:
    digest = Digest((tree.repository("acme/web") / "_manifests/tags/1.4/current/link").read_text())
    tree.link("acme/web", "_manifests/revisions", WRONG, digest)
    size = tree.data(digest).stat().st_size

    assert everywhere(tree, blobs=blobs) == [Found("STO-02", "error", link_of(WRONG, "_manifests/revisions"), size)]


def test_val_184_the_digest_of_the_link_is_expected(tree: Tree) -> None:
    digest = Digest((tree.repository("acme/web") / "_manifests/tags/1.4/current/link").read_text())
    tree.link("acme/web", "_manifests/revisions", WRONG, digest)

    found = sha512(tree.data(digest).read_bytes())
    said = f"content with the digest {found}, in place of the manifest acme/web@{WRONG}"
    assert tree.texts("STO-02") == [said]


def test_val_184_a_layer_whose_link_has_another_digest_is_found_by_all_that_read_it(tree: Tree, tmp_path: Path) -> None:
    put_layer(tree, "wrong", WRONG)
    put_layer(tree, "right", sha512(LAYER))

    assert everywhere(tree, blobs=True) == [Found("STO-02", "error", link_of(WRONG, "_layers"), len(LAYER))]
    assert everywhere(tree, blobs=False) == [], "no layer is read"
    copy(f"{tree.name}/acme/web:right", f"oci:{tmp_path / 'right'}")
    with pytest.raises(errors.DigestMismatchError, match=str(WRONG)):
        copy(f"{tree.name}/acme/web:wrong", f"oci:{tmp_path / 'wrong'}")


def test_val_184_a_damaged_blob_with_two_digests_is_reported_for_both(tree: Tree) -> None:
    """The link and the blob: each of them is requested by its own digest."""
    target = put_layer(tree, "right", sha512(LAYER))
    tree.data(target).write_bytes(LAYER.upper())
    age(tree.data(target))

    assert everywhere(tree, blobs=True) == [
        Found("STO-02", "error", str(tree.data(target).relative_to(tree.v2)), len(LAYER)),
        Found("STO-02", "error", link_of(sha512(LAYER), "_layers"), len(LAYER)),
    ]


def test_val_184_a_config_whose_link_has_another_digest(tree: Tree) -> None:
    raw = json.dumps({"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": []}}).encode()
    tree.link("acme/web", "_layers", WRONG, tree.put_blob(raw))
    config = {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": WRONG, "size": len(raw)}
    tree.put_image("acme/web", "1", config=config)

    for blobs in (False, True):
        [found] = [each for each in everywhere(tree, blobs=blobs) if each.rule == "STO-02"]
        assert found.source == link_of(WRONG, "_layers")


@pytest.mark.parametrize("octets", [b"", LAYER])
def test_val_185_a_layer_of_another_size_than_stated_is_found_without_reading_it(
    tree: Tree, tmp_path: Path, octets: bytes
) -> None:
    """An empty file is the usual damage after a full disk; a wrong descriptor makes all clients reject the image."""
    digest = tree.put_blob(LAYER)
    layer = {
        "mediaType": "application/vnd.oci.image.layer.v1.tar",
        "digest": digest,
        "size": 99 if octets else len(LAYER),
    }
    tree.put_image("acme/web", "1", LAYER, layers=[layer])
    tree.data(digest).write_bytes(octets)
    age(tree.data(digest))

    place = str(tree.data(digest).relative_to(tree.v2))
    assert everywhere(tree, blobs=False) == [Found("LYT-05", "error", place, len(octets))]
    with pytest.raises(errors.IntegrityError):
        copy(f"{tree.name}/acme/web:1", f"oci:{tmp_path / 'copy'}")


def test_val_185_an_entry_of_another_size_than_stated(tree: Tree) -> None:
    digest = Digest((tree.repository("acme/web") / "_manifests/tags/1.4/current/link").read_text())
    entry = {"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": digest, "size": 7}
    tree.put_document("acme/web", mediaType="application/vnd.oci.image.index.v1+json", manifests=[entry])

    size = tree.data(digest).stat().st_size
    assert everywhere(tree, blobs=False) == [Found("LYT-05", "error", "acme/web:1.4", size)]


def test_val_209_a_layer_of_another_size_is_reported_once_and_names_an_image(tree: Tree) -> None:
    """Many images of several repositories have the same base layer."""
    layer = Digest.of(b"layer one")
    for tag in ("1.5", "1.6"):
        tree.put_image("acme/web", tag, b"layer one", tag.encode())
        tree.put_image("acme/copy", tag, b"layer one", tag.encode())
    tree.data(layer).write_bytes(b"longer than layer one")
    age(tree.data(layer))
    place = str(tree.data(layer).relative_to(tree.v2))

    assert everywhere(tree, blobs=False) == [Found("LYT-05", "error", place, 21)]
    [text] = tree.texts("LYT-05")
    assert text in {f"21 bytes, in a layer of acme/copy:{tag}" for tag in ("1.5", "1.6")}


def test_val_209_each_wrong_size_that_a_manifest_states_is_reported(tree: Tree) -> None:
    """The layer may be whole, and several manifests wrong."""
    digest = tree.put_blob(LAYER)
    for tag, size in ("1", 7), ("2", 8), ("3", 8):
        layer = {"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": digest, "size": size}
        tree.put_image("acme/web", tag, LAYER, layers=[layer])

    assert len(everywhere(tree, blobs=False)) == 2
