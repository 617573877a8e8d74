"""Files and directories that cannot be read, vanish, or have unusual names: in folders, by patterns and by URLs."""

import json
import os
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from dreg_client import Digest, find_partitions
from dreg_client.cli.validate import validate_command
from dreg_client.errors import FileError
from dreg_client.partitions.input.read import rows_in
from dreg_client.partitions.partition import Partition
from dreg_client.values.source_url import shown_source
from tests.commands import run_dreg, run_limited
from tests.partitions.clusters import ENVIRONMENT
from tests.partitions.runs import DREG, reported
from tests.partitions.stored import INVALID, PACK, VALID, lines, tar_of

WAYS = ["{}", "{}/**/*.json*", "{}/*", "file://{}", "file://{}/**/*.json*", "file://{}/**"]
"""A folder, a pattern and a URL."""
UNPRIVILEGED = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
"""What takes away from root the right to read every file."""
NAMES = [
    "a.json",
    "a.json::b.json",
    "::error::c.json",
    "d?e=f.json",
    "[g].json",
    "h%20i#j.json",
    "file:.json",
    "k::l/m.json",
]


@pytest.fixture(params=WAYS)
def source(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The name of a folder with two documents, one of them in a subdirectory."""
    folder = tmp_path / "in"
    (folder / "below").mkdir(parents=True)
    (folder / "good.json").write_bytes(VALID)
    (folder / "below/good.json").write_bytes(VALID + b" ")
    return str(request.param).format(folder)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "in"


def validated(
    source: str | Path, *words: object, before: list[str] | None = None
) -> "subprocess.CompletedProcess[str]":
    arguments = ["validate", str(source), "--jobs", "1", *map(str, words)]
    if before:
        return run_limited([*before, *DREG, *arguments], capture_output=True, env=ENVIRONMENT, text=True, check=False)
    done = run_dreg(arguments, environment=ENVIRONMENT)
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


def check_named(source: str, path: Path, out: Path, before: list[str] | None = None) -> None:
    """Check that both outputs name what cannot be read, with exit code 5, and lose no document."""
    as_text = validated(source, before=before)
    into = validated(source, "--format", "parquet", "-o", out, before=before)

    for done in (as_text, into):
        assert done.returncode == 5
        assert f"{path}: cannot be read: " in done.stderr
        assert "2 checked" in done.stdout
    assert f"1 not read ({'file://' if source.startswith('file') else ''}{path})" in as_text.stdout
    assert set(reported(out).values()) == {1}
    assert len(reported(out)) == 2


@pytest.mark.parametrize("name", ["loop.json", "below/loop.jsonl.gz"])
def test_val_175_a_link_that_leads_to_itself_is_named_and_loses_no_other(
    source: str, folder: Path, tmp_path: Path, name: str
) -> None:
    (folder / name).symlink_to((folder / name).name)
    (folder / "dead.json").symlink_to("nowhere")
    (folder / "loop.txt").symlink_to("loop.txt")

    check_named(source, folder / name, tmp_path / "out")


def test_val_175_find_partitions_raises_it_after_all_others(source: str, folder: Path) -> None:
    (folder / "below/loop.json").symlink_to("loop.json")
    found: list[Partition] = []

    with pytest.raises(FileError, match=r"below/loop.json: cannot be read: Too many levels") as failed:
        found.extend(find_partitions([source]))

    assert failed.value.path.endswith(f"{folder}/below/loop.json")
    assert sum(len([*rows_in(partition)]) for partition in found) == 2


def test_val_176_a_directory_that_cannot_be_read_is_named_and_loses_no_other(
    source: str, folder: Path, tmp_path: Path
) -> None:
    (folder / "closed").mkdir()
    (folder / "closed/a.json").write_bytes(VALID)
    (folder / "closed").chmod(0)
    try:
        check_named(source, folder / "closed", tmp_path / "out", UNPRIVILEGED)
    finally:
        (folder / "closed").chmod(0o700)


def test_val_176_a_large_file_that_cannot_be_opened_loses_no_other(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(VALID)
    with (tmp_path / "b.jsonl").open("wb") as file:
        file.truncate(65 << 20)  # so large that it is opened to be divided
    (tmp_path / "b.jsonl").chmod(0)
    done = validated(str(tmp_path), "--format", "parquet", "-o", tmp_path / "out", before=UNPRIVILEGED)

    assert done.returncode == 5
    assert f"{tmp_path}/b.jsonl: cannot be read: Permission denied" in done.stderr
    assert "1 checked" in done.stdout


@pytest.fixture
def vanishing(source: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The files `gone*` and the directory `gone` vanish after the folder that contains them was listed."""
    real = os.scandir

    class Listed:
        def __init__(self, path: str) -> None:
            with real(path) as entries:
                self.entries = list(entries)
            if Path(path) == folder and (folder / "gone").exists():
                for name in ("gone/a.json", "gone.json", "gone.link.json"):
                    (folder / name).unlink()
                (folder / "gone").rmdir()

        def __enter__(self) -> "Iterator[os.DirEntry[str]]":
            return iter(self.entries)

        def __exit__(self, *_: object) -> None:
            pass

    (folder / "gone").mkdir()
    (folder / "gone/a.json").write_bytes(VALID)
    (folder / "gone.json").write_bytes(VALID)
    (folder / "gone.link.json").symlink_to("good.json")
    monkeypatch.setattr(os, "scandir", Listed)
    return source


@pytest.mark.parametrize("output", ["text", "parquet"])
def test_val_177_what_vanishes_while_a_folder_is_listed_is_not_there(
    vanishing: str, folder: Path, tmp_path: Path, output: str
) -> None:
    more = ["-o", str(tmp_path / "out")] if output == "parquet" else []
    done = CliRunner().invoke(validate_command, [vanishing, "--format", output, "--jobs", "1", *more])

    assert not (folder / "gone.json").exists()
    assert (done.exit_code, done.stderr) == (0, "")
    assert "2 checked" in done.stdout


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("output", ["jsonl", "parquet"])
def test_val_178_a_name_that_looks_like_a_url_is_the_name_of_a_file(tmp_path: Path, way: str, output: str) -> None:
    contents = dict(zip(NAMES, (line + b" " for line in lines(len(NAMES)).splitlines()), strict=True))
    for name, content in contents.items():
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_bytes(content.replace(b'"manifests":[]', b'"manifests":{}'))
    source = way.format(tmp_path / "in")
    digests = {str(Digest.of((tmp_path / "in" / name).read_bytes())): name for name in NAMES}
    more = ["-o", tmp_path / "out"] if output == "parquet" else []
    done = validated(source, "--format", output, *more)

    assert done.returncode == 1, done.stderr
    if output == "parquet":
        assert reported(tmp_path / "out") == Counter([*digests])
        return
    results = [json.loads(line) for line in done.stdout.splitlines()]
    named = {digests[each["digest"]]: each["source"] for each in results if "digest" in each}
    start = f"{'file://' if '://' in way else ''}{tmp_path}/in/"
    assert named == {name: shown_source(start + name) for name in NAMES}


def test_val_178_a_match_in_the_working_directory_is_a_path(tmp_path: Path) -> None:
    for name in ("oci:a.json", "registry-storage:b.json", "localhost:5000"):
        (tmp_path / name).write_bytes(VALID)
    command = [*DREG, "validate", "*.json"]
    done = run_limited(command, capture_output=True, env=ENVIRONMENT, text=True, check=False, cwd=tmp_path)

    assert (done.returncode, done.stdout) == (0, "2 checked: 2 valid\n")


@pytest.mark.parametrize("way", WAYS)
def test_hidden_names_are_skipped_alike(tmp_path: Path, way: str) -> None:
    names = (".a.json", "_b.json", "_c/d.json", ".e/f.json", "_g.jsonl.gz", "_h.tar")
    for name in names:
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_bytes(INVALID)
    (tmp_path / "in/ok.json").write_bytes(VALID)
    (tmp_path / "in/ok.jsonl.gz").write_bytes(PACK[".gz"](VALID))
    (tmp_path / "in/ok.json.tar").write_bytes(tar_of({"x.json": VALID}))
    source = way.format(tmp_path / "in")

    assert validated(source).stdout == "3 checked: 3 valid\n"
    assert "3 checked" in validated(source, "--format", "parquet", "-o", tmp_path / "out").stdout
    assert len([*find_partitions([f"{tmp_path}/in/_*"])]) == 4


def test_a_directory_and_a_tar_archive_of_it_have_the_same_documents(tmp_path: Path) -> None:
    names = ("a.json", "sub/d.json", "_b.json", "_sub/c.json", "sub/_e.jsonl.gz", ".f.json", "sub/.g/h.json")
    for name in names:
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_bytes(VALID)
    (tmp_path / "in.tar").write_bytes(tar_of({f"./{name}": VALID for name in names}))

    for number, source in enumerate(("in", "in.tar")):
        files = validated(tmp_path / source, "--format", "parquet", "-o", tmp_path / f"out{number}")
        assert validated(tmp_path / source).stdout == "2 checked: 2 valid\n"
        assert (files.returncode, "2 checked" in files.stdout) == (0, True)


def test_an_archive_of_hidden_names_says_why_it_has_no_documents(tmp_path: Path) -> None:
    (tmp_path / "in.tar").write_bytes(tar_of({"_sub/a.json": VALID}))

    assert "names that begin with _ or . are skipped" in validated(tmp_path / "in.tar").stderr


def test_a_pattern_matches_a_file_once(tmp_path: Path) -> None:
    for name in ("a.json", "s/a.json", "s/s/a.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(VALID)
    os.mkfifo(tmp_path / "pipe.json")
    (tmp_path / "link").symlink_to(tmp_path / "s")

    for pattern, count in (
        ("**", 3),
        ("**/**/*.json", 3),
        ("**/s/**/a.json", 2),
        ("lin*/*.json", 1),
        ("s/../*.json", 1),
    ):
        assert validated(f"{tmp_path}/{pattern}").stdout == f"{count} checked: {count} valid\n", pattern


def test_val_175_a_report_that_cannot_be_read_loses_no_other(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(VALID)
    validated(f"{tmp_path}/a.json", "--format", "parquet", "-o", tmp_path / "out")
    (tmp_path / "out/loop.parquet").symlink_to("loop.parquet")
    (tmp_path / "out/dead.parquet").symlink_to("nowhere")
    for source in (tmp_path / "out", f"{tmp_path}/out/*.parquet", f"file://{tmp_path}/out"):
        done = run_dreg(["report", str(source)], environment=ENVIRONMENT)

        assert done.returncode == 5
        assert b"out/loop.parquet: cannot be read: " in done.stderr
        assert b"1 checked" in done.stdout
