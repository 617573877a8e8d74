"""What is taken for a document: bytes, text, the path of a file, an open file; all else is a TypeError."""

import io
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dreg_client import (
    Descriptor,
    DockerManifest,
    DockerManifestList,
    OciIndex,
    OciManifest,
    parse_document,
    parse_manifest,
    validate,
)
from dreg_client.errors import InvalidDocumentError, ResponseTooLargeError

READERS: dict[str, Callable[[Any], Any]] = {
    "validate": validate,
    "parse_manifest": parse_manifest,
    "parse_document": parse_document,
    "parse_document with a kind": lambda raw: parse_document(raw, kind="oci-manifest"),
    "the model": OciManifest.parse,
}
readers = pytest.mark.parametrize("read", READERS.values(), ids=READERS.keys())


@pytest.fixture
def good(fixtures: Path) -> Path:
    return fixtures / "valid/oci-manifest.json"


@readers
def test_bytes_text_paths_and_open_files_are_read_alike(read: Callable[[Any], Any], good: Path) -> None:
    raw = good.read_bytes()
    expected = read(raw)

    for given in (raw.decode(), bytearray(raw), memoryview(raw), good, io.BytesIO(raw)):
        assert (found := read(given)) == expected
        assert found.digest == expected.digest
    with good.open("rb") as file, good.open("rb", buffering=0) as unbuffered:
        assert read(file) == read(unbuffered) == expected


@readers
def test_a_pipe_is_read_to_its_end_although_it_returns_less_at_a_time(read: Callable[[Any], Any], good: Path) -> None:
    class Dripping(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:  # type: ignore[override]
            return super().read(min(size or 7, 7))

    assert read(Dripping(good.read_bytes())) == read(good)


@readers
@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"schemaVersion": 2}, "not dict; parsed JSON has lost the exact bytes"),
        ([1, 2], "not list; parsed JSON"),
        (None, "not NoneType"),
        (5, "not int"),
        (io.StringIO("{}"), "this file returns str instead of bytes"),
        (OciManifest, "not ModelMetaclass"),
    ],
    ids=["dict", "list", "None", "int", "a text file", "a class"],
)
def test_anything_else_says_what_to_pass(read: Callable[[Any], Any], given: object, said: str) -> None:
    with pytest.raises(TypeError, match=r"bytes, JSON as a str, a pathlib\.Path, or a file opened") as caught:
        read(given)
    assert said in str(caught.value)


def test_a_document_of_ours_and_a_response_name_where_their_bytes_are(good: Path) -> None:
    class Response:
        content = good.read_bytes()

    with pytest.raises(TypeError, match=r"pass its bytes, \.raw"):
        validate(OciManifest.parse(good))  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"pass its bytes, \.content"):
        validate(Response())  # type: ignore[arg-type]


def test_gen_05_a_file_is_read_no_further_than_the_limit(tmp_path: Path) -> None:
    path = tmp_path / "large.json"
    path.write_bytes(b"{")
    os.truncate(path, 1 << 40)

    assert [problem.rule for problem in validate(path).errors] == ["GEN-05"]
    with pytest.raises(ResponseTooLargeError):
        parse_manifest(path)


def test_a_path_that_is_not_there_is_an_error_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        validate(tmp_path / "missing.json")


def test_a_text_is_never_a_path(good: Path) -> None:
    assert [problem.rule for problem in validate(str(good)).errors] == ["GEN-01"]


def test_what_is_expected_is_a_digest(good: Path) -> None:
    raw = good.read_bytes()
    for wrong in ("sha256:" + "0" * 64, json.loads(raw)["config"]):
        with pytest.raises(TypeError, match="a Digest or a Descriptor"):
            validate(raw, expect=wrong)
    assert validate(raw, expect=Descriptor.model_validate(OciManifest.parse(raw).descriptor)).ok


def test_a_text_that_is_the_path_of_a_file_says_to_pass_a_path(tmp_path: Path) -> None:
    path = tmp_path / "index.json"
    path.write_bytes(b'{"schemaVersion":2,"manifests":[]}')
    advice = r"pass a pathlib\.Path"

    for call in (parse_manifest, parse_document, OciIndex.parse):
        assert call(path)
        with pytest.raises(InvalidDocumentError, match=advice):
            call(str(path))
        with pytest.raises(InvalidDocumentError) as other:
            call(str(path) + "x")
        assert "pathlib" not in str(other.value)
    with pytest.raises(InvalidDocumentError, match=advice):
        parse_document(str(path), kind="image-config")
    assert "pathlib.Path" in str(validate(str(path)).problems[0])
    assert "pathlib.Path" not in str(validate("x" * 10_000 + "\0").problems[0])


@pytest.mark.parametrize("model", [OciManifest, DockerManifest, DockerManifestList])
def test_a_manifest_of_another_kind_says_what_reads_either(model: Any) -> None:
    with pytest.raises(InvalidDocumentError, match="the document is an oci-index, so use parse_manifest"):
        model.parse(b'{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}')
    with pytest.raises(InvalidDocumentError) as broken:
        OciIndex.parse(b'{"schemaVersion":2,"manifests":{}}')
    assert "parse_manifest" not in str(broken.value)
