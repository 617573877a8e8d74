"""Files that another user replaces by a named pipe after they were listed: LAY-82."""

import os
from pathlib import Path

import pytest

from dreg_client import errors, validate_file
from dreg_client.cli.validate_files import findings_in_source
from dreg_client.cli.validate_output import Checked, Counted, FailedSource, Settings
from dreg_client.files import regular
from dreg_client.schemagen.folder import check_files
from dreg_client.validation import dumps
from tests.commands import run_dreg

INDEX = b'{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}\n'


def become_pipe(path: Path) -> None:
    """Replace a file by a pipe, so that the name always exists."""
    pipe = path.with_name("pipe")
    os.mkfifo(pipe)
    pipe.replace(path)


def settings(jobs: int = 1) -> Settings:
    return Settings(
        None,
        None,
        lines=False,
        field="",
        media_type_field="",
        complete=False,
        blobs=False,
        pedantic=False,
        quiet=True,
        jobs=jobs,
        column="manifest",
        media_type_column="",
        kind_column="",
        resume=None,
    )


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("name", ["z.json", "z.jsonl", "z.ndjson"])
def test_lay_82_a_listed_file_that_became_a_pipe_is_not_waited_for(tmp_path: Path, name: str, jobs: int) -> None:
    (tmp_path / "a.json").write_bytes(INDEX)
    (tmp_path / name).write_bytes(INDEX)

    findings = findings_in_source(str(tmp_path), settings(jobs))
    assert isinstance(next(findings), Checked)
    become_pipe(tmp_path / name)
    [failed] = findings
    assert isinstance(failed, FailedSource)
    assert isinstance(failed.failure, errors.FileError)
    assert "is not a regular file" in str(failed.failure)


def test_lay_82_a_pipe_that_the_user_names_is_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "dump.jsonl")
    reader = os.open(tmp_path / "dump.jsonl", os.O_RDWR)
    os.write(reader, INDEX * 2)

    findings = findings_in_source(str(tmp_path / "dump.jsonl"), settings())
    first = next(findings)
    os.close(reader)
    assert [first, *findings] == [Counted(1, len(INDEX.strip()), {"oci-index": 1})] * 2


@pytest.mark.parametrize("jobs", [1, 2])
def test_lay_82_nor_is_a_dump_that_became_a_pipe_between_its_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jobs: int
) -> None:
    monkeypatch.setattr(dumps, "PART", 1024)
    dump = tmp_path / "dump.jsonl"
    dump.write_bytes(INDEX * 1000)

    parts = validate_file(dump, jobs=jobs)
    next(parts)
    become_pipe(dump)
    with pytest.raises(errors.FileError, match="is not a regular file; pass the open file to validate_lines"):
        list(parts)


def test_lay_82_nor_is_one_that_becomes_a_pipe_just_before_it_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dump = tmp_path / "dump.jsonl"
    dump.write_bytes(INDEX)
    opens = os.open

    def swapping(path: object, *rest: int) -> int:
        become_pipe(dump)
        return opens(path, *rest)  # type: ignore[call-overload, no-any-return]

    monkeypatch.setattr(regular.os, "open", swapping)
    with pytest.raises(errors.FileError, match="is not a regular file"):
        list(validate_file(dump))


def test_lay_82_nor_is_a_pipe_in_place_of_a_schema_or_of_an_index(tmp_path: Path) -> None:
    for name in ("schema.json", "index.json"):
        os.mkfifo(tmp_path / name)
    (tmp_path / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')

    with pytest.raises(errors.FileError, match="is not a regular file"):
        check_files(tmp_path, {"schema.json": "{}"})
    words = {"COMP_WORDS": f"dreg tags oci:{tmp_path}:", "COMP_CWORD": "2", "_DREG_COMPLETE": "bash_complete"}
    done = run_dreg([], environment={"PATH": os.environ["PATH"], **words}, folder=tmp_path)
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, b"", b"")


def test_lay_82_a_directory_in_place_of_a_file_leaves_nothing_open(tmp_path: Path) -> None:
    before = sorted(Path("/dev/fd").iterdir())

    with pytest.raises(IsADirectoryError):
        regular.open_regular(tmp_path)
    assert sorted(Path("/dev/fd").iterdir()) == before
