"""The path of a storage without `registry-storage:`, which each command and function explains."""

from pathlib import Path

import pytest

from dreg_client import find_partitions, open_store
from dreg_client.errors import InvalidReferenceError, UnsupportedError
from tests.commands import run_dreg
from tests.storage.planted import Tree

PLAIN = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "COLUMNS": "100"}
INNER = {"": "", "docker": "", "docker/registry": "", "docker/registry/v2": "/docker/registry/v2"}
"""Directories of a storage, and the path that the advice has below the storage."""


def dreg(*arguments: str, folder: Path) -> tuple[int, str]:
    done = run_dreg(arguments, environment=PLAIN, folder=folder)
    return done.returncode, done.stderr.decode()


@pytest.mark.parametrize("command", ["repos", "tags", "inspect", "copy", "sync"])
@pytest.mark.parametrize("inner", [*INNER, "acme/web:1.4"])
def test_each_command_says_how_to_write_the_path(tree: Tree, command: str, inner: str) -> None:
    more = ["oci:elsewhere"] if command in {"copy", "sync"} else []
    code, said = dreg(command, str(tree.path / inner), *more, folder=tree.path.parent)

    expected = f"{tree.name}{INNER.get(inner, f'/{inner}')}"
    assert (code, said.count("\n")) == (2, 1)
    assert f"a path must begin with the kind of its store: {expected}; see: dreg {command} --help" in said
    assert "https:" not in said


def test_a_relative_path_is_explained_as_well(tree: Tree) -> None:
    for command in ("repos", "tags"):
        code, said = dreg(command, f"./{tree.path.name}", folder=tree.path.parent)

        assert code == 2
        assert f"registry-storage:./{tree.path.name};" in said


@pytest.mark.parametrize(("command", "expected"), [("repos", "or registry-storage:PATH, "), ("login", "")])
def test_another_path_is_not_a_registry(tmp_path: Path, command: str, expected: str) -> None:
    code, said = dreg(command, f"{tmp_path}/none", folder=tmp_path)

    assert code == 2
    assert f"expected a registry such as registry.example, {expected}not the path {tmp_path}/none" in said


@pytest.mark.parametrize("inner", INNER)
def test_validate_says_that_a_folder_is_or_contains_a_storage(tree: Tree, inner: str) -> None:
    code, said = dreg("validate", str(tree.path / inner), folder=tree.path)

    assert code == 2
    assert said == f"dreg: {tree.path} is the storage of a registry; run: dreg validate {tree.name}\n"


def test_validate_reads_the_other_files_of_a_folder_with_a_storage(tree: Tree) -> None:
    (tree.path / "dumps").mkdir()
    (tree.path / "dumps/a.json").write_bytes(b"{}")
    done = run_dreg(["validate", str(tree.path)], environment=PLAIN, folder=tree.path)

    assert done.returncode == 1
    assert b"a.json: invalid" in done.stdout
    assert b"is the storage of a registry" in done.stderr
    assert dreg("validate", str(tree.path / "dumps"), folder=tree.path) == (1, "")


def test_functions_say_it_too(tree: Tree) -> None:
    for inner, below in INNER.items():
        with pytest.raises(InvalidReferenceError, match=f"such as {tree.name}{below}$"):
            open_store(str(tree.path / inner))
        reason = f"^{tree.path} is the storage of a registry; run: dreg validate {tree.name}$"
        with pytest.raises(UnsupportedError, match=reason):
            list(find_partitions([str(tree.path / inner)]))


@pytest.mark.parametrize("command", ["copy", "sync"])
def test_a_storage_is_not_advised_as_a_destination(tree: Tree, command: str) -> None:
    missing = tree.path.parent / "missing"
    code, said = dreg(command, tree.name, str(missing), folder=tree.path)

    assert code == 2
    assert f"such as oci:{missing}, oci-archive:{missing}, docker-archive:{missing};" in said
    for path in (str(tree.path), f"{tree.path}/acme/web:1"):
        assert "the storage of a registry is only read" in dreg(command, "oci:x", path, folder=tree.path)[1]
