"""`dreg validate` of compressed and remote files, Parquet files, tar archives, pipes and patterns."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from tests.cli.conftest import Run
from tests.commands import ROOT, run_limited, start_limited
from tests.partitions.s3_server import S3Server, s3_server
from tests.partitions.stored import INVALID, PACK, VALID, lines, parquet_of, tar_of

MANY = lines(3000)
FORMATS = {
    **{f"dump.jsonl{ending}": PACK[ending](MANY + INVALID + b"\n") for ending in PACK},
    "web.tgz": PACK[".gz"](tar_of({"a.jsonl": MANY, "b.json": INVALID})),
}


@pytest.fixture(scope="module")
def s3() -> Iterator[S3Server]:
    with s3_server() as server:
        server.put("bucket")
        yield server


@pytest.mark.parametrize("jobs", ["1", "2"])
@pytest.mark.parametrize("name", FORMATS)
def test_a_file_is_validated_whatever_it_is(said: Run, tmp_path: Path, name: str, jobs: str) -> None:
    (tmp_path / name).write_bytes(FORMATS[name])
    done = said("validate", "--jobs", jobs, "--format", "jsonl", tmp_path / name)
    [found, summary] = map(json.loads, done.lines)

    assert done.code == 1
    place = (f"{tmp_path}/{name}/b.json", None) if name.endswith("tgz") else (f"{tmp_path}/{name}", 3001)
    assert (found["source"], found["line"]) == place
    assert summary["summary"]["checked"] == 3001
    assert summary["summary"]["valid"] == 3000


@pytest.mark.parametrize("output", ["text", "json", "jsonl", "github"])
def test_rows_of_a_column_are_validated_in_each_format(said: Run, tmp_path: Path, output: str) -> None:
    path = tmp_path / "web.parquet"
    kinds = ["oci-index", "oci-index", "oci-manifest"]
    types = ["application/vnd.oci.image.index.v1+json"] * 3
    parquet.write_table(pa.table({"doc": [VALID, None, VALID], "kind": kinds, "type": types}), path)
    columns = ["--column", "doc", "--kind-column", "kind", "--media-type-column", "type"]

    done = said("validate", "--format", output, *columns, path)

    assert done.code == 1
    assert "GEN-01" in done.out
    assert {"text": f"{path}:2", "github": "line=2"}.get(output, '"line": 2') in done.out
    assert {"text": "3 checked: 1 valid", "github": "line=3"}.get(output, '"line": 3') in done.out
    if output == "jsonl":
        assert json.loads(done.lines[0])["digest"] is None


def test_a_column_that_is_missing_is_named(said: Run, tmp_path: Path) -> None:
    path = parquet_of(tmp_path / "web.parquet", 3)
    done = said("validate", "--column", "doc", path)

    assert done.code == 2
    assert f"{path}: column 'doc'" in done.err
    assert "manifest, id" in done.err


def test_a_member_of_each_line_may_hold_the_document(said: Run, tmp_path: Path) -> None:
    raw = b"".join(json.dumps({"m": text.decode()}).encode() + b"\n" for text in (VALID, INVALID))
    for name in ("dump.jsonl.gz", "dump.gz", "dump"):
        (tmp_path / name).write_bytes(PACK[".gz"](raw))
        assert said("validate", "--field", "m", tmp_path / name).lines[-1] == "2 checked: 1 valid, 1 invalid"


def test_a_folder_has_files_of_all_formats(said: Run, tmp_path: Path) -> None:
    for name, content in FORMATS.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "one.json.gz").write_bytes(PACK[".gz"](VALID))
    (tmp_path / "two.json").write_bytes(VALID)
    parquet_of(tmp_path / "web.parquet", 10)

    assert said("validate", tmp_path).lines[-1] == f"{6 * 3001 + 12:,} checked: {6 * 3000 + 12:,} valid, 6 invalid"


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_val_15_files_that_break_off_lose_no_other_and_the_code_is_5(said: Run, tmp_path: Path, jobs: str) -> None:
    (tmp_path / "a.jsonl.gz").write_bytes(PACK[".gz"](MANY)[:-40])
    (tmp_path / "b.parquet").write_bytes(parquet_of(tmp_path / "whole.parquet", 10).read_bytes()[:-10])
    (tmp_path / "c.tar").write_bytes(tar_of({"1.json": VALID, "2.json": VALID})[:1100])
    (tmp_path / "d.jsonl.xz").write_bytes(PACK[".xz"](lines(7) + INVALID))

    done = said("validate", "--jobs", jobs, "--format", "json", tmp_path)
    summary = json.loads(done.out)["summary"]

    assert done.code == 5
    assert [Path(unread["source"]).name for unread in summary["unread"]] == ["a.jsonl.gz", "b.parquet", "c.tar"]
    assert {unread["exitCode"] for unread in summary["unread"]} == {5}
    assert (summary["invalid"], summary["valid"] > 2000) == (1, True)


def test_patterns_are_expanded_like_a_shell_does(said: Run, tmp_path: Path) -> None:
    for name in ("a.json", "b.json", "s/c.jsonl.gz"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(VALID)

    assert said("validate", f"{tmp_path}/*.json").lines[-1] == "2 checked: 2 valid"
    assert said("validate", f"{tmp_path}/**/*.gz").lines[-1] == "1 checked: 1 valid"
    assert said("validate", f"{tmp_path}/*.no").code == 4


@pytest.mark.parametrize("name", ["dump.jsonl.gz", "web.tgz"])
def test_a_pipe_is_read_as_it_comes(dreg: Run, tmp_path: Path, name: str) -> None:
    path, command = tmp_path / name, [sys.executable, "-m", "dreg_client.cli", "validate", tmp_path / name]
    os.mkfifo(path)
    with start_limited(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        path.write_bytes(FORMATS[name])
        out, _ = process.communicate()

    assert out.splitlines()[-1] == "3,001 checked: 3,000 valid, 1 invalid"
    assert "3,001" in dreg("validate", "--lines", "-", stdin=FORMATS["dump.jsonl.zst"]).lines[-1]


def test_a_parquet_file_cannot_be_piped(tmp_path: Path) -> None:
    raw = parquet_of(tmp_path / "web.parquet", 3).read_bytes()
    os.mkfifo(tmp_path / "pipe.parquet")
    script = f'cat "$1" > "$2" & "{sys.executable}" -m dreg_client.cli validate "$2"; kill %1'
    words = ["sh", "-c", script, "sh", str(tmp_path / "web.parquet"), str(tmp_path / "pipe.parquet")]
    done = run_limited(words, capture_output=True, text=True, check=False, cwd=ROOT)

    assert raw
    assert "save the stream to a file" in done.stderr


# --- URLs


def test_files_at_urls_are_validated(dreg: Run, s3: S3Server, tmp_path: Path) -> None:
    for name, content in FORMATS.items():
        s3.put(f"bucket/all/{name}", content)
    s3.put("bucket/all/web.parquet", parquet_of(tmp_path / "web.parquet", 1000).read_bytes())
    s3.put("bucket/all/deep/one.json", INVALID)
    s3.put("bucket/all/_temporary/two.json", INVALID)

    def said(*words: str) -> str:
        return dreg("validate", "--jobs", "2", *words, env=dict(s3.environment)).lines[-1]

    assert said("s3://bucket/all") == f"{6 * 3001 + 1001:,} checked: {6 * 3000 + 1000:,} valid, 7 invalid"
    assert said("s3://bucket/all/**/*.parquet") == "1,000 checked: 1,000 valid"
    assert said("s3://bucket/all/dump.jsonl.zst") == "3,001 checked: 3,000 valid, 1 invalid"


def test_lines_at_a_url_have_their_numbers(dreg: Run, s3: S3Server) -> None:
    s3.put("bucket/lines/dump.jsonl", MANY + INVALID)
    done = dreg("validate", "s3://bucket/lines", env=dict(s3.environment))

    assert done.lines[0] == "s3://bucket/lines/dump.jsonl:3001: invalid (oci-index)"


@pytest.mark.parametrize(
    ("url", "code"),
    [("s3://bucket/nothing", 4), ("s3://no-bucket/x.jsonl", 4), ("nosuch://me:s3cret@host/x?key=s3cret", 5)],
)
def test_val_26_a_url_that_cannot_be_read_is_one_error_without_secrets(
    dreg: Run, s3: S3Server, url: str, code: int
) -> None:
    done = dreg("validate", url, env=dict(s3.environment))

    assert done.code == code
    assert done.err.count("\n") == 1
    assert "Traceback" not in done.err
    assert "s3cret" not in done.out + done.err


def test_a_library_that_is_missing_is_named(dreg: Run) -> None:
    done = dreg("validate", "gs://bucket/x.jsonl")

    assert done.code == 2
    assert "gcsfs is not installed; install it with: pip install gcsfs" in done.err


def test_documents_at_urls_are_read_one_by_one(dreg: Run, s3: S3Server) -> None:
    for number in range(20):
        s3.put(f"bucket/documents/{number}.json", {3: b"", 4: INVALID, 5: PACK[".gz"](VALID)}.get(number, VALID))

    done = dreg("validate", "s3://bucket/documents", env=dict(s3.environment))

    assert done.lines[-1] == "20 checked: 18 valid, 2 invalid"
    assert "s3://bucket/documents/3.json: invalid" in done.out
