"""`dreg validate` and `dreg report` read all there is: long lines, joined archives and reports, names in any case."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from dreg_client import find_partitions, validate_lines
from dreg_client.errors import FileError
from dreg_client.partitions.input.read import reports_in
from dreg_client.partitions.report.folder import folder_at
from dreg_client.partitions.row import RowReport
from tests.cli.conftest import Run, Said
from tests.commands import MEBIBYTE, run_limited
from tests.partitions.runs import DREG
from tests.partitions.stored import INVALID, PACK, VALID, lines, tar_of

LONG = b" " * (33 * MEBIBYTE)
JOINED = (tar_of({"a.json": VALID}), tar_of({"b.json": INVALID}))
OUTPUTS = ("text", "jsonl", "parquet")


@pytest.fixture(params=OUTPUTS)
def validate(request: pytest.FixtureRequest, said: Run, tmp_path: Path) -> Run:
    """Validate a file of the test in each format."""
    into = ["-o", str(tmp_path / "out")] if request.param == "parquet" else []

    def validated(name: str) -> Said:
        return said("validate", "--jobs", "1", "--format", request.param, *into, tmp_path / name)

    return validated


def reports_of(path: Path) -> Iterator[RowReport]:
    for partition in find_partitions([str(path)]):
        yield from reports_in(partition)


# --- VAL-190: lines


@pytest.mark.parametrize("ending", ["", ".zst"])
def test_val_190_a_line_of_more_than_32_mib_of_spaces_is_an_error(tmp_path: Path, ending: str) -> None:
    content = b"\n".join((VALID, LONG + VALID, LONG, VALID))
    for name, raw in (("dump.jsonl", content), ("web.tar", tar_of({"dump.jsonl": content}))):
        (tmp_path / f"{name}{ending}").write_bytes(PACK[ending](raw))
        found = [it.report for it in reports_of(tmp_path / f"{name}{ending}")]

        assert [report.problems and report.problems[0].rule for report in found] == [(), "GEN-05", "GEN-05", ()]


def test_val_190_so_it_is_in_a_dump_a_stream_and_the_text(validate: Run, tmp_path: Path) -> None:
    (tmp_path / "dump.jsonl").write_bytes(VALID + b"\n" + LONG + b"\n" + VALID)
    found = validate("dump.jsonl")
    with (tmp_path / "dump.jsonl").open("rb") as dump:
        command = [*DREG, "validate", "--lines", "-"]
        streamed = run_limited(command, stdin=dump, capture_output=True, text=True, check=False)
    [_, long, _] = validate_lines((tmp_path / "dump.jsonl").read_bytes().splitlines())

    assert found.code == streamed.returncode == 1
    assert streamed.stdout.endswith("3 checked: 2 valid, 1 invalid\n")
    assert "GEN-05" in found.out
    assert [it.rule for it in long.report.problems] == ["GEN-05"]


# --- VAL-191: archives


@pytest.mark.parametrize("ending", PACK)
def test_val_191_archives_that_were_joined_are_all_read(validate: Run, tmp_path: Path, ending: str) -> None:
    pack = PACK[ending]
    (tmp_path / f"web.tar{ending}").write_bytes(b"".join(map(pack, (tar_of({}), *JOINED))))
    found = validate(f"web.tar{ending}")

    assert found.code == 1
    assert "IDX-03" in found.out
    assert len([*reports_of(tmp_path / f"web.tar{ending}")]) == 2


@pytest.mark.parametrize("ending", ["", ".gz"])
@pytest.mark.parametrize("rest", [b"x", bytes(5000) + b"x" * 512, JOINED[1][512:1024]], ids=["byte", "late", "member"])
def test_val_191_anything_but_zeros_after_an_archive_is_named(
    validate: Run, tmp_path: Path, ending: str, rest: bytes
) -> None:
    (tmp_path / f"web.tar{ending}").write_bytes(PACK[ending](JOINED[0] + rest))
    found = validate(f"web.tar{ending}")

    assert found.code == 5
    assert "after its end, that are neither zeros nor another archive" in found.err


def test_val_191_zeros_after_an_archive_are_its_end(validate: Run, tmp_path: Path) -> None:
    (tmp_path / "web.tar").write_bytes(JOINED[0] + bytes(100_777))

    assert validate("web.tar").code == 0


# --- VAL-193: reports


@pytest.fixture
def outputs(said: Run, tmp_path: Path) -> list[str]:
    """The outputs of `--format jsonl` for a dump, and for files with an invalid one and one with a warning."""
    (tmp_path / "dump.jsonl").write_bytes(lines(20) + INVALID + b"\n")
    sources = [[str(tmp_path / "dump.jsonl")], ["fixtures/valid", "fixtures/dumps/registry.jsonl", "missing.json"]]
    return [said("validate", "--format", "jsonl", *words).out for words in sources]


def test_val_193_joined_outputs_are_summed(said: Run, outputs: list[str], tmp_path: Path) -> None:
    found: list[dict[str, int]] = []
    for number, text in enumerate([*outputs, "".join(outputs)]):
        (tmp_path / f"{number}.jsonl").write_text(text)
        found.append(json.loads(said("report", tmp_path / f"{number}.jsonl", "--format", "json").out))

    first, second, both = found
    for name in ("documents", "valid", "invalid", "size"):
        assert both[name] == first[name] + second[name]
    assert sum(kind["documents"] for kind in both["kinds"]) == both["documents"]  # type: ignore[attr-defined, index]
    assert [it["partition"] for it in both["failed"]] == ["missing.json"]  # type: ignore[attr-defined, index]


@pytest.mark.parametrize("whole", [0, 1], ids=["after", "before"])
def test_val_193_an_output_without_its_summary_is_named(
    said: Run, outputs: list[str], tmp_path: Path, whole: int
) -> None:
    outputs[whole] = "".join(outputs[whole].splitlines(keepends=True)[:-1])
    (tmp_path / "joined.jsonl").write_text("".join(outputs))
    found = said("report", tmp_path / "joined.jsonl")

    assert found.code == 5
    assert found.err.startswith(f"dreg: {tmp_path}/joined.jsonl: the lines ")
    assert "one of several outputs that were joined is not complete" in found.err


# --- VAL-194: names


def test_val_194_names_in_any_case_are_read_alike(validate: Run, tmp_path: Path) -> None:
    folder = tmp_path / "web"
    folder.mkdir()
    (folder / "A.JSON").write_bytes(VALID)
    (folder / "B.JsonL").write_bytes(lines(2))
    (folder / "C.TAR.GZ").write_bytes(PACK[".gz"](tar_of({"D.JSON": VALID, "E.NDJSON": lines(2)})))
    found = validate("web")

    assert found.code == 0
    assert validate_counts(found) == 6
    assert len([*reports_of(folder)]) == 6
    assert len([*reports_of(folder / "C.TAR.GZ")]) == 3


@pytest.mark.parametrize("folder", ["http://me:secret@x/y", "https://x/y", "docker://x/y", "memory://r"])
def test_val_195_a_folder_to_which_no_process_can_write_is_a_usage_error(said: Run, folder: str) -> None:
    found = said("validate", "--format", "parquet", "-o", folder, "fixtures/valid")

    assert (found.code, found.out) == (2, "")
    assert "name a directory, or a URL of object storage, such as s3://bucket/reports" in found.err
    assert "secret" not in found.err
    with pytest.raises(FileError, match=r"^http://x/y is a URL to which no files can be written"):
        folder_at("http://x/y")


def validate_counts(found: Said) -> int:
    """Return the number of documents in the summary of any format."""
    last = next(line for line in reversed(found.lines) if "checked" in line)
    return int(json.loads(last)["summary"]["checked"] if last.startswith("{") else last.split()[0])
