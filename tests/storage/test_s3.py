"""A storage on S3 is listed, read and checked, several files at a time."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.commands import ROOT, run_dreg
from tests.partitions.s3_server import S3Server, s3_server
from tests.storage.planted import Tree

BUCKET = "storage"


@pytest.fixture
def on_s3(tree: Tree) -> Iterator[S3Server]:
    """A server with the storage of several repositories; a link is malformed, and a blob is unreferenced."""
    for number in range(6):
        tree.put_image(f"many/r{number}", "1", b"base", b"%d" % number)
    tree.put_blob(b"unreferenced")
    (tree.repository("many/r3") / "_manifests/tags/1/current/link").write_bytes(b"x")
    with s3_server() as server:
        server.put(BUCKET)
        for path in sorted(Path(tree.path).rglob("*")):
            if path.is_file():
                server.put(f"{BUCKET}/{path.relative_to(tree.path)}", path.read_bytes())
        yield server


def dreg(server: S3Server, *arguments: str) -> tuple[int, str, str]:
    environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", **server.environment}
    done = run_dreg(arguments, environment=environment, folder=ROOT)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def test_a_storage_on_s3_is_listed_read_and_checked(on_s3: S3Server) -> None:
    storage = f"registry-storage:s3://{BUCKET}"
    names = ["acme/web", *sorted(f"many/r{number}" for number in range(6))]

    assert dreg(on_s3, "repos", storage) == (0, "".join(f"{name}\n" for name in names), "")
    code, out, _ = dreg(on_s3, "manifest", f"{storage}/acme/web:1.4")
    assert (code, len(json.loads(out)["layers"])) == (0, 2)
    code, out, err = dreg(on_s3, "validate", "--pedantic", "--blobs", "-j", "2", "--format", "json", storage)
    rules = {problem["rule"] for found in json.loads(out)["documents"] for problem in found["problems"]}

    assert (code, err) == (1, "")
    assert {rule for rule in rules if rule.startswith("STO")} == {"STO-05", "STO-06"}, "the blob is young"


def test_objects_that_stand_for_folders_are_no_entries(on_s3: S3Server) -> None:
    """Consoles and other programs make them: empty objects whose names end with a slash."""
    for folder in ("repositories", "repositories/acme", "repositories/acme/web/_layers", "blobs", "blobs/sha256"):
        on_s3.put(f"{BUCKET}/docker/registry/v2/{folder}/", b"")
    storage = f"registry-storage:s3://{BUCKET}"
    before = {("STO-05", "docker/registry/v2/blobs"), ("STO-06", "docker/registry/v2/repositories/many")}
    code, out, err = dreg(on_s3, "validate", "--pedantic", "-j", "1", "--format", "json", storage)
    documents = json.loads(out)["documents"]
    found = {
        (problem["rule"], "/".join(it["source"].removeprefix(f"s3://{BUCKET}/").split("/")[:5]))
        for it in documents
        for problem in it["problems"]
        if problem["rule"].startswith("STO")
    }

    assert (code, err) == (1, "")
    assert {(rule, place.removesuffix("/sha256")) for rule, place in found} == before
