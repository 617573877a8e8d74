"""Dumps: a document a line, in any number of parts and processes, in constant memory."""

import json
import multiprocessing
import pickle
import sys
from pathlib import Path

import pytest

from dreg_client import Digest, LineRules, validate_file, validate_lines
from dreg_client.errors import FileError, WorkerKilledError
from dreg_client.partitions.input.discover import find_partitions
from dreg_client.partitions.input.read import rows_in
from dreg_client.validation import dumps
from dreg_client.validation.dumps import LineReport, validate_line
from dreg_client.values.media_type import DOCKER_MANIFEST
from tests.commands import run_limited
from tests.partitions.stored import PACK

GOOD = b'{"schemaVersion": 2, "manifests": []}'
BAD = b'{"schemaVersion": "2", "manifests": []}'


def told(reports: list[LineReport]) -> list[tuple[int, list[str]]]:
    return [(found.line, [problem.rule for problem in found.report.errors]) for found in reports]


def everything(path: Path, how: LineRules | None = None, *, jobs: int = 1) -> tuple[int, int, int, list[LineReport]]:
    parts = list(validate_file(path, how or LineRules(), jobs=jobs))
    assert [part.start for part in parts[1:]] == [part.stop for part in parts[:-1]]
    reports = [found for part in parts for found in part.reports]
    return (
        sum(part.lines for part in parts),
        sum(part.documents for part in parts),
        sum(part.valid for part in parts),
        reports,
    )


@pytest.fixture
def dump(tmp_path: Path) -> Path:
    lines = [BAD if number % 7 == 0 else b"" if number % 5 == 0 else GOOD for number in range(1, 200)]
    path = tmp_path / "dump.jsonl"
    path.write_bytes(b"\r\n".join(lines))
    return path


@pytest.mark.parametrize("part", [1, 7, 39, 100, 1 << 20])
@pytest.mark.parametrize("most", [1, 3, 1000])
def test_parts_of_any_size_tell_the_same(dump: Path, part: int, most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = everything(dump)
    monkeypatch.setattr(dumps, "PART", part)
    monkeypatch.setattr(dumps, "MOST_REPORTS", most)

    assert everything(dump) == whole
    assert whole[0] == 199
    assert told(whole[3]) == [(number, ["IDX-01"]) for number in range(7, 200, 7)]
    assert whole[1] - whole[2] == len(whole[3])


def test_several_processes_tell_the_same(dump: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dumps, "PART", 500)

    assert everything(dump, jobs=2) == everything(dump)


def test_a_worker_that_is_killed_is_an_error_of_its_own(dump: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dumps, "PART", 64)
    parts = validate_file(dump, jobs=2)
    next(parts)
    for worker in multiprocessing.active_children():
        worker.kill()

    with pytest.raises(WorkerKilledError, match="was killed") as raised:
        list(parts)
    assert raised.value.path == str(dump)


def test_lines_are_numbered_with_those_that_are_empty() -> None:
    found = list(validate_lines([GOOD, b"\n", BAD + b"\n", b"  ", GOOD]))

    assert [(report.line, report.report.ok) for report in found] == [(1, True), (3, False), (5, True)]


def test_a_dump_of_nothing_has_no_parts(tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").touch()

    assert list(validate_file(tmp_path / "empty.jsonl", jobs=2)) == []


@pytest.mark.parametrize(
    ("line", "how", "rules"),
    [
        (b'{"m": "{\\"schemaVersion\\": 2, \\"manifests\\": []}"}', LineRules("m"), []),
        (b'{"m": {"schemaVersion": 2, "manifests": []}}', LineRules("m"), []),
        (b'{"m": {"schemaVersion": 3, "manifests": []}, "t": "application/json"}', LineRules("m", "t"), ["IDX-01"]),
        (
            b'{"m": {"schemaVersion": 2, "manifests": []}, "t": "%s"}' % DOCKER_MANIFEST.encode(),
            LineRules("m", "t"),
            ["DKM-02", "DKM-03", "DKM-04", "GEN-06"],
        ),
        (b'{"x": 1}', LineRules("m"), ["GEN-01"]),
        (b"[1]", LineRules("m"), ["GEN-01"]),
        (b"nonsense", LineRules("m"), ["GEN-01"]),
        (b'{"m": 5}', LineRules("m"), ["GEN-01"]),
        (b'{"m": null}', LineRules("m"), ["GEN-01"]),
        (GOOD, LineRules(kind="oci-manifest"), ["MAN-05", "MAN-07", "GEN-06"]),
        (GOOD, LineRules(media_type=DOCKER_MANIFEST), ["DKM-02", "DKM-03", "DKM-04", "GEN-06"]),
        (b"not json", LineRules(), ["GEN-01"]),
    ],
)
def test_a_line_holds_its_document_where_it_is_said_to(line: bytes, how: LineRules, rules: list[str]) -> None:
    report = validate_line(line, how)

    assert sorted({problem.rule for problem in report.errors}) == sorted(rules)


def test_the_text_of_a_document_in_a_line_is_exact() -> None:
    text = '{ "schemaVersion": 2, "schemaVersion": 2, "manifests": [] }'

    report = validate_line(json.dumps({"m": text}).encode(), LineRules("m"))

    assert [problem.rule for problem in report.errors] == ["GEN-02"]
    assert report.size == len(text)


def test_gen_05_a_line_too_long_is_one_problem_and_the_next_line_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dreg_client.files.lines.LONGEST_LINE", 100)
    monkeypatch.setattr("dreg_client.validation.dumps.LONGEST_LINE", 100)
    path = tmp_path / "long.jsonl"
    path.write_bytes(GOOD + b"\n" + b'{"x":"' + b"y" * 1000 + b'"}\n' + BAD + b"\n" + b"z" * 250)

    lines, documents, valid, reports = everything(path)

    assert (lines, documents, valid) == (4, 4, 1)
    assert told(reports) == [(2, ["GEN-05"]), (3, ["IDX-01"]), (4, ["GEN-05"])]


def test_results_pickle_and_the_function_runs_anywhere() -> None:
    found = list(validate_lines([GOOD, BAD]))

    assert pickle.loads(pickle.dumps(found)) == found
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.map(validate_line, [GOOD, BAD]) == [report.report for report in found]


def test_a_dump_that_is_not_there_is_an_error_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        next(validate_file(tmp_path / "none.jsonl"))


_PEAK = """
import resource, sys
from dreg_client import validate_file
for part in validate_file(sys.argv[1]):
    pass
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.parametrize("line", [GOOD, b"{}"], ids=["valid", "broken"])
def test_ten_times_the_dump_takes_the_same_memory(tmp_path: Path, line: bytes) -> None:
    peaks = []
    for times in (1, 10):
        path = tmp_path / f"{times}.jsonl"
        path.write_bytes((line + b"\n") * (4000 * times))
        done = run_limited([sys.executable, "-c", _PEAK, path], capture_output=True, text=True, check=True)
        peaks.append(int(done.stdout))

    assert peaks[1] <= peaks[0] * 1.1


# --- a single document


@pytest.mark.parametrize("indent", [None, 1, "\t"])
@pytest.mark.parametrize("before", [b"", b"\n\n  "])
def test_a_file_with_a_single_document_is_read_whole(tmp_path: Path, indent: int | str | None, before: bytes) -> None:
    """Indented or not; with its problems, and the digest of the file where it has several lines."""
    path = tmp_path / "document.json"
    for text, rules in ((GOOD, []), (BAD, ["IDX-01"])):
        raw = before + json.dumps(json.loads(text), indent=indent).encode()
        path.write_bytes(raw)
        [part] = validate_file(path, jobs=4)
        assert (part.start, part.stop, part.documents, part.valid) == (0, len(raw), 1, int(not rules))
        assert [rule for found in part.reports for rule in (problem.rule for problem in found.report.errors)] == rules
        assert all(found.report.digest == Digest.of(raw if indent else raw.strip()) for found in part.reports)


def test_an_indented_document_in_a_member_is_found(tmp_path: Path) -> None:
    path = tmp_path / "wrapped.json"
    path.write_text(json.dumps({"name": "web", "manifest": json.loads(BAD)}, indent=2))

    [part] = validate_file(path, LineRules(field="manifest"))
    assert told(list(part.reports)) == [(1, ["IDX-01"])]


@pytest.mark.parametrize(
    ("raw", "rules"),
    [
        (b'{\n  "schemaVersion": 2,\n  "manifests": [],\n}', ["GEN-01"]),
        (b'{"schemaVersion": 2,\n "schemaVersion": 2,\n "manifests": []}', ["GEN-02"]),
        (b"[\n" + GOOD + b",\n" + GOOD + b"\n]", ["GEN-01"]),
    ],
)
def test_a_broken_document_of_several_lines_is_one_with_one_report(
    tmp_path: Path, raw: bytes, rules: list[str]
) -> None:
    path = tmp_path / "broken.json"
    path.write_bytes(raw)

    [part] = validate_file(path)
    assert told(list(part.reports)) == [(1, rules)]


def test_a_dump_whose_first_line_is_cut_short_is_still_a_dump(tmp_path: Path) -> None:
    path = tmp_path / "dump.jsonl"
    path.write_bytes(GOOD[:-5] + b"\n" + GOOD + b"\n" + GOOD)

    assert told(everything(path)[3]) == [(1, ["GEN-01"])]
    assert everything(path)[1] == 3


def test_gen_05_a_single_document_that_is_too_long_is_one_problem(tmp_path: Path) -> None:
    path = tmp_path / "long.json"
    path.write_bytes(b'{\n"x": [\n' + b"1,\n" * 12_000_000)

    [part] = validate_file(path)
    assert told(list(part.reports)) == [(1, ["GEN-05"])]


def test_lines_that_are_text_say_how_to_open_the_file(dump: Path) -> None:
    with pytest.raises(TypeError, match="for a path, use validate_file"):
        list(validate_lines(str(dump)))  # type: ignore[arg-type]
    with dump.open() as file, pytest.raises(TypeError, match="'rb'"):
        list(validate_lines(file))  # type: ignore[arg-type]


@pytest.mark.parametrize("ending", [*filter(None, PACK)])
def test_val_213_a_compressed_file_is_an_error_that_names_what_reads_it(tmp_path: Path, ending: str) -> None:
    path = tmp_path / "dump.jsonl"
    path.write_bytes(PACK[ending](GOOD))

    with pytest.raises(FileError, match=r"is compressed \(\w+\); use find_partitions, or pass decompressed lines"):
        list(validate_file(path, LineRules(field="manifest")))


def test_val_213_a_parquet_file_is_one_whatever_its_name_says(tmp_path: Path) -> None:
    path = tmp_path / "dump.jsonl"
    path.write_bytes(b"PAR1\n" * 100)

    with pytest.raises(FileError, match="is a Parquet file"):
        list(validate_file(path))
    for size in (20, 1000):
        [partition] = find_partitions([str(path)], size=size)
        with pytest.raises(FileError, match="is a Parquet file"):
            list(rows_in(partition))
