"""`dreg validate registry-storage:PATH/REPOSITORY:TAG` finds in an image what a check of the storage finds."""

import json
from typing import Any

import pytest

from dreg_client import Digest
from tests.storage.planted import Tree, age
from tests.storage.test_command import dreg, entries

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
LAYER = Digest.of(b"layer one")


def manifest_of(tree: Tree) -> Digest:
    return Digest((tree.repository("acme/web") / "_manifests/tags/1.4/current/link").read_text())


def config_of(tree: Tree) -> Digest:
    return Digest(json.loads(tree.data(manifest_of(tree)).read_bytes())["config"]["digest"])


def change(tree: Tree, digest: Digest, octets: bytes) -> None:
    tree.data(digest).write_bytes(octets)
    age(tree.data(digest))


def faults(tree: Tree, reference: str, *options: str) -> list[dict[str, Any]]:
    """Return the faults in an image, which must be those that a check of the whole storage finds."""
    found, whole = ([each for each in entries(name, *options) if not each["ok"]] for name in names(tree, reference))
    assert found == whole
    return found


def names(tree: Tree, reference: str) -> tuple[str, str]:
    return f"{tree.name}/acme/web{reference}", tree.name


def test_val_208_a_layer_of_another_size_is_found_without_reading_it(tree: Tree) -> None:
    change(tree, LAYER, b"layer one and more")
    [found] = faults(tree, ":1.4")

    assert (found["source"], found["size"], found["problems"][0]["rule"]) == (str(tree.data(LAYER)), 18, "LYT-05")
    assert found["problems"][0]["found"] == "18 bytes, in a layer of acme/web:1.4"
    assert dreg("validate", f"{tree.name}/acme/web:1.4", "--quiet")[0] == 1


def test_val_208_with_blobs_all_layers_are_read(tree: Tree) -> None:
    change(tree, LAYER, b"layer 0ne")
    name = f"{tree.name}/acme/web:1.4"

    assert dreg("validate", name)[0] == 0
    [found] = faults(tree, ":1.4", "--blobs")
    assert (found["source"], found["problems"][0]["rule"]) == (str(tree.data(LAYER)), "STO-02")


@pytest.mark.parametrize("role", ["config", "layer"])
def test_val_208_a_config_or_layer_that_is_gone_is_an_error(tree: Tree, role: str) -> None:
    digest = LAYER if role == "layer" else config_of(tree)
    tree.data(digest).unlink()
    [found] = faults(tree, ":1.4")

    assert (found["digest"], found["size"], found["problems"][0]["rule"]) == (digest, None, "STO-01")
    assert found["problems"][0]["found"].endswith("; needed by the tag 1.4")
    code, out, _ = dreg("validate", f"{tree.name}/acme/web@{manifest_of(tree)}", "--quiet")
    assert (code, "STO-01" in out, "needed by" in out) == (1, True, False)


def test_val_208_a_damaged_config(tree: Tree) -> None:
    change(tree, config_of(tree), b"{}")
    [found] = faults(tree, ":1.4")

    assert (found["source"], found["problems"][0]["rule"]) == (str(tree.data(config_of(tree))), "STO-02")


def test_val_208_the_manifests_of_an_index_are_checked_and_may_be_absent(tree: Tree) -> None:
    """A cache has only the platforms that were pulled."""
    size = tree.data(manifest_of(tree)).stat().st_size
    absent = {"mediaType": MANIFEST, "digest": Digest.of(b"never pulled"), "size": 12}
    items = [{"mediaType": MANIFEST, "digest": manifest_of(tree), "size": size}, absent]
    index = tree.put_document("acme/web", mediaType=INDEX, manifests=items)
    tree.tag("acme/web", "multi", str(index["digest"]))
    name = f"{tree.name}/acme/web:multi"
    code, out, err = dreg("validate", name)

    assert (code, out.splitlines()[-1], err) == (0, "3 checked: 3 valid; 1 blob missing", "")
    assert dreg("validate", "--complete", name)[0] == 1
    tree.data(manifest_of(tree)).unlink()
    code, out, _ = dreg("validate", name)
    assert (code, "STO-01" in out) == (1, True)


@pytest.mark.parametrize("other", ["fixtures/valid", "oci:fixtures/layouts/multi", "localhost:1/acme/web", "-"])
def test_val_212_blobs_with_another_source_is_a_usage_error(tree: Tree, other: str) -> None:
    code, out, err = dreg("validate", "--blobs", tree.name, other)

    assert (code, out) == (2, "")
    assert f"--blobs cannot be used with {other}" in err
