"""A storage of distribution 3.1 is read and checked at every moment: no temporary file is a fault."""

from itertools import islice
from pathlib import Path

from dreg_client import Digest, RegistryStorage
from tests.storage.distribution import UUID, Distribution, Steps
from tests.storage.planted import Found, write

LAYER, CONFIG_OF_BASE = b"a layer", b"base"
UPLOAD = f"repositories/acme/web/_uploads/{UUID}"


def made(path: Path) -> Distribution:
    """Return a storage with an image."""
    tree = Distribution(path)
    run(tree.image_pushed("acme/base", "1", CONFIG_OF_BASE))
    tree.age()
    return tree


def run(steps: Steps) -> int:
    """Do all steps; return how many there are."""
    return sum(1 for _ in steps)


def rules_of(tree: Distribution, *severities: str) -> set[str]:
    return {each.rule for each in tree.problems(blobs=True, pedantic=True) if each.severity in severities}


def test_what_is_pushed_is_read_and_has_no_findings(tmp_path: Path) -> None:
    """Also a layer by its sha512 digest, which is stored by its sha256 digest, and what others keep in the storage."""
    tree = made(tmp_path / "storage")
    run(tree.image_pushed("acme/web", "1.4", LAYER, "sha512"))
    tree.age()
    write(tree.path / "scheduler-state.json", b"{}")
    write(tree.v2.parent / "lockfiles/filesystem-in-use", b'{"version":1}')
    write(tree.repository("acme/web") / "_trivy/report.json", b"{}")
    write(tree.v2 / "repositories/_scans/report.json", b"{}")

    assert tree.problems(blobs=True, complete=True, pedantic=True) == []
    with RegistryStorage(tree.path) as storage:
        assert [*storage.catalog()] == ["acme/base", "acme/web"]
        web = storage.repository("acme/web")
        assert web.tags() == ("1.4",)
        layer = web.get_image("1.4").manifest.layers[0]
        assert layer.digest == Digest.of(LAYER, "sha512")
        assert web.get_blob(layer) == LAYER


def test_val_140_a_server_that_is_killed_at_any_step_of_a_push_leaves_no_error_but_a_tag_without_link(
    tmp_path: Path,
) -> None:
    count = run(made(tmp_path / "whole").image_pushed("acme/web", "1.4", LAYER))
    for number in range(1, count):
        tree = made(tmp_path / str(number))
        last = [*islice(tree.image_pushed("acme/web", "1.4", LAYER), number)][-1]
        found = tree.problems(blobs=True, pedantic=True)

        assert {each.rule for each in found if each.severity == "error"} <= {"STO-03"}, last
        assert {each.rule for each in found} <= {"STO-03", "STO-04", "STO-05", "STO-07"}, last
        assert ("STO-04" in {each.rule for each in found}) == (tree.v2 / UPLOAD).exists(), last
        with RegistryStorage(tree.path) as storage:
            assert storage.repository("acme/base").get_image("1").manifest.layers
            assert set(storage.repository("acme/web").tags() if "acme/web" in [*storage.catalog()] else ()) <= {"1.4"}


def test_val_140_a_server_that_is_killed_while_it_deletes_leaves_a_tag_without_manifest(tmp_path: Path) -> None:
    tree = made(tmp_path / "storage")
    run(tree.image_pushed("acme/web", "1.4", LAYER))
    tree.age()
    kept = made(tmp_path / "other").stored()
    steps = tree.deleted("acme/web", "1.4")
    next(steps)
    assert rules_of(tree, "error") == {"STO-03"}

    run(steps)
    assert rules_of(tree, "error", "warning") == {"STO-05"}
    unreferenced = tree.stored() - kept
    collecting = tree.collected(unreferenced)
    for _ in islice(collecting, len(unreferenced)):
        assert rules_of(tree, "error", "warning") <= {"STO-05"}, "the links that are left are only notes"
    run(collecting)
    assert tree.problems(blobs=True, pedantic=True) == []


def test_val_141_a_directory_of_a_blob_without_bytes_is_a_note(tmp_path: Path) -> None:
    """A server that was killed leaves it behind. Nothing is lost, as no link leads to it."""
    tree = made(tmp_path / "storage")
    digests = sorted(Digest.of(b"%d" % number) for number in range(2))
    write(tree.data(digests[0]).with_name(f"data.{UUID}.tmp"), b"a manifest")
    tree.data(digests[1]).parent.mkdir(parents=True)

    assert tree.problems() == []
    assert tree.problems(pedantic=True) == [
        Found("STO-07", "note", str(tree.data(each).parent.relative_to(tree.v2))) for each in digests
    ]
    assert [text.replace(UUID, "UUID") for text in sorted(tree.texts("STO-07", pedantic=True))] == [
        'a directory with "data.UUID.tmp", without a file data',
        "an empty directory",
    ]
