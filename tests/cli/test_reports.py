"""What `dreg validate` prints: a newcomer mends a document by it, and programs read it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]
GOOD = "fixtures/valid/oci-manifest.json"
NAMED = "application/vnd.oci.image.manifest.v1+json"


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """A manifest that a newcomer broke in three places; the third only makes one wonder."""
    path = tmp_path / "manifest.json"
    digest = "sha256:" + 64 * "a"
    config = {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": digest.upper(), "size": "7"}
    annotations = {"org.opencontainers.image.created": "yesterday"}
    manifest = {"schemaVersion": 2, "mediaType": NAMED, "config": config, "layers": [], "annotations": annotations}
    path.write_text(json.dumps(manifest))
    return path


def test_a_problem_says_where_it_is_what_is_there_and_what_should_be(said: Run, broken: Path) -> None:
    lines = said("validate", broken).lines

    assert lines[0] == f"{broken}: invalid (oci-manifest)"
    at = lines.index("  error at $.config.size")
    assert lines[at + 1] == '    found     "7"'
    assert lines[at + 2] == "    expected  an integer from 0 to 2^63 - 1, the size in bytes"
    assert lines[at + 3] == '    rule      DSC-03, image-spec descriptor.md "Properties": size'


def test_a_document_that_does_not_say_what_it_is_can_be_told_by_kind(said: Run) -> None:
    assert (
        "    try       set the kind, for example --kind image-config"
        in said("validate", "fixtures/configs/smallest.json").lines
    )


@pytest.mark.parametrize(
    ("source", "verdict"),
    [
        ("fixtures/broken/MAN-05-config-missing.json", "invalid (oci-manifest)"),
        ("fixtures/broken/ANN-02-url-without-scheme.json", "valid, with warnings (oci-manifest)"),
    ],
)
def test_the_first_line_says_what_became_of_a_document(said: Run, source: str, verdict: str) -> None:
    assert said("validate", source).lines[0] == f"{source}: {verdict}"


def test_all_problems_of_a_document_are_told(said: Run, broken: Path) -> None:
    told = [line.split()[0::2] for line in said("validate", broken).lines if " at $" in line]

    assert ["error", "$.config.digest"] in told
    assert ["error", "$.config.size"] in told
    assert ["warning", '$.annotations["org.opencontainers.image.created"]'] in told


def test_quiet_tells_errors_alone(said: Run, broken: Path) -> None:
    out = said("validate", "--quiet", broken, GOOD, "fixtures/broken/ANN-02-url-without-scheme.json").out

    assert "error at" in out
    assert "warning" not in out
    assert "checked" not in out
    assert said("validate", "--quiet", GOOD).out == ""


def test_pedantic_tells_notes_too(said: Run, tmp_path: Path, fixtures: Path) -> None:
    document = json.loads((fixtures / "valid/oci-manifest.json").read_bytes()) | {"x-ours": 1}
    (tmp_path / "m.json").write_text(json.dumps(document))

    assert "note at" not in said("validate", tmp_path).out
    assert "note at" in said("validate", "--pedantic", tmp_path).out
    assert said("validate", "--pedantic", tmp_path).code == 0


def test_json_is_one_document_with_the_same_keys_for_every_source(said: Run, broken: Path) -> None:
    told = json.loads(said("validate", "--format", "json", broken, GOOD).out)
    first, second = told["documents"]

    assert [*first] == [*second] == ["source", "line", "kind", "digest", "size", "ok", "problems"]
    assert [*first["problems"][0]] == ["rule", "severity", "path", "found", "expected", "clause", "url"]
    assert (first["ok"], second["ok"]) == (False, True)
    assert second["problems"] == []
    counts = {"checked": 2, "valid": 1, "invalid": 1, "withWarnings": 1, "missing": 0}
    sums = {"size": first["size"] + second["size"], "kinds": [{"kind": "oci-manifest", "documents": 2}]}
    assert told["summary"] == {**counts, **sums, "unread": [], "interrupted": False}


@pytest.mark.parametrize("sources", [[], [GOOD], [GOOD, GOOD]])
def test_json_is_whole_whatever_there_is_to_tell(said: Run, sources: list[str]) -> None:
    told = json.loads(said("validate", "--format", "json", "no/such", *sources).out)

    assert len(told["documents"]) == len(sources)
    reason = {"error": "FileNotFoundError", "exitCode": 4, "message": "no/such: No such file or directory"}
    assert told["summary"]["unread"] == [{"source": "no/such", **reason}]


def test_json_lines_are_a_document_a_line_and_the_summary(said: Run, broken: Path) -> None:
    *documents, last = map(json.loads, said("validate", "--format", "jsonl", broken, GOOD).lines)

    assert [document["source"] for document in documents] == [str(broken), GOOD]
    assert last["summary"]["checked"] == 2


@pytest.mark.parametrize("style", ["json", "jsonl"])
def test_good_documents_of_a_dump_are_only_counted(said: Run, dreg: Run, fixtures: Path, style: str) -> None:
    dump = fixtures / "dumps/manifests.jsonl"
    from_file = said("validate", "--format", style, dump)
    from_input = dreg("validate", "--format", style, "--lines", "-", stdin=dump.read_bytes())

    assert '"checked": 42' in from_file.out
    assert '"source"' not in from_file.out
    assert from_file.out == from_input.out


def test_annotations_for_github_are_a_line_a_problem(said: Run, broken: Path) -> None:
    lines = said("validate", "--format", "github", broken, "no/such").lines

    assert len([line for line in lines if line.startswith("::error ")]) == 3
    assert len([line for line in lines if line.startswith("::warning ")]) == len(lines) - 3
    assert lines[1].startswith(f"::error file={broken},title=DSC-03 at $.config.size::$.config.size: found ")
    assert lines[-1] == "::error file=no/such,title=not read::no/such: No such file or directory"


def test_annotations_for_github_name_the_line_of_a_dump(said: Run) -> None:
    lines = said("validate", "--format", "github", "--field", "manifest", "fixtures/dumps/registry.jsonl").lines

    assert lines[0].startswith("::error file=fixtures/dumps/registry.jsonl,line=7,title=DSC-03 at ")


def test_annotations_for_github_cannot_be_forged(said: Run, tmp_path: Path) -> None:
    (tmp_path / "a,line=1::b%0A.json").write_text('{"mediaType": "x\\n::error::forged"}')
    lines = said("validate", "--format", "github", tmp_path).lines

    assert all(line.startswith(f"::error file={tmp_path}/a%2Cline=1%3A%3Ab%250A.json,title=") for line in lines)
