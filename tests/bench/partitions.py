"""Documents in Parquet files: record batches, reports in Parquet, two processes, memory, a local Dask cluster."""

import shutil
import sys
import tempfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pyarrow as pa
from contest import Contestant, Target, contest, process, result
from documents import mixed
from pyarrow import parquet
from tables import QUICK

_ROWS = 10_000 if QUICK else 200_000
_MANY = 20_000 if QUICK else 1_000_000
_ROUNDS = 3
_GROUP = 10_000
_LINES = """
import sys
from dreg_client import validate_file
assert sum(part.documents for part in validate_file(sys.argv[1], jobs=1)) == int(sys.argv[2])
"""
_BATCHES = """
import sys
from pyarrow import parquet
from dreg_client.arrow import validate_batches
batches = parquet.ParquetFile(sys.argv[1], pre_buffer=False).iter_batches(1024, columns=["manifest"], use_threads=False)
assert sum(batch.num_rows for batch in validate_batches(batches)) == int(sys.argv[2])
"""
_LINES_IN, _BATCHES_IN = "`validate_file(path, jobs=1)`", "`validate_batches(batches)`"
_ONE, _TWO = "`--jobs 1`", "`--jobs 2`"
_TENTH, _WHOLE = "a tenth of the rows", "all rows"
_DASK = "`--scheduler local --jobs 2`"
_AT_LEAST = 0.75


def tables() -> Iterator[str]:
    """Yield the tables of this suite."""
    with tempfile.TemporaryDirectory() as directory:
        folder = Path(directory)
        yield _batches(folder)
        yield _reports(folder)
        yield _memory(folder)
        yield _cluster(folder)


def write_lines(path: Path, documents: int) -> Path:
    """Write documents to a file of JSON Lines, if it does not exist."""
    if not path.exists():
        with path.open("wb") as file:
            file.writelines(islice(mixed(), documents))
    return path


def write_parquet(path: Path, documents: int) -> Path:
    """Write documents to the column `manifest` of a Parquet file, if it does not exist."""
    if not path.exists():
        schema = pa.schema({"manifest": pa.binary()})
        with parquet.ParquetWriter(path, schema, compression="zstd") as writer:
            lines = (line.strip() for line in islice(mixed(), documents))
            while group := list(islice(lines, _GROUP)):
                writer.write_table(pa.table({"manifest": group}, schema))
    return path


def _batches(folder: Path) -> str:
    lines, columns = write_lines(folder / "some.jsonl", _ROWS), write_parquet(folder / "some.parquet", _ROWS)
    contestants = {
        _LINES_IN: process(sys.executable, "-c", _LINES, lines, str(_ROWS)),
        _BATCHES_IN: process(sys.executable, "-c", _BATCHES, columns, str(_ROWS)),
    }
    targets = {_BATCHES_IN: [Target("cpu", 1 / 0.8, speed=True)]}
    title = f"Arrow: {_ROWS:,} manifests in record batches and in lines, one process"
    return result(title, contest(contestants, rounds=_ROUNDS), against=_LINES_IN, targets=targets)


def _reports(folder: Path) -> str:
    columns = write_parquet(folder / "some.parquet", _ROWS)
    contestants = {name: _into(folder, columns, "--jobs", name.strip("`")[-1]) for name in (_ONE, _TWO)}
    title = f"Reports: `dreg validate x.parquet --format parquet -o DIR`, {_ROWS:,} manifests"
    targets = {_TWO: [Target("wall", 1 / 1.6, speed=True)]}
    return result(title, contest(contestants, rounds=_ROUNDS), against=_ONE, targets=targets)


def _memory(folder: Path) -> str:
    tenth = write_parquet(folder / "tenth.parquet", _ROWS // 10)
    columns = write_parquet(folder / "some.parquet", _ROWS)
    contestants = {_TENTH: _into(folder, tenth, "--jobs", "1"), _WHOLE: _into(folder, columns, "--jobs", "1")}
    title = f"Reports: peak memory of the largest process, {_ROWS // 10:,} and {_ROWS:,} manifests"
    targets = {_WHOLE: [Target("peak", 1.1)]}
    return result(title, contest(contestants, rounds=_ROUNDS), against=_TENTH, targets=targets)


def _cluster(folder: Path) -> str:
    lines = write_lines(folder / "many.jsonl", _MANY)
    contestants = {
        _TWO: _into(folder, lines, "--jobs", "2"),
        _DASK: _into(folder, lines, "--jobs", "2", "--scheduler", "local"),
    }
    title = f"Dask: `dreg validate x.jsonl --format parquet -o DIR`, {_MANY:,} manifests, with the start of the cluster"
    targets = {_DASK: [Target("wall", 1 / _AT_LEAST, speed=True)]}
    return result(title, contest(contestants, rounds=1 if QUICK else 3, warm=False), against=_TWO, targets=targets)


def _into(folder: Path, source: Path, *options: str) -> Contestant:
    """Validate a file with the command, into a new folder each time."""
    reports = folder / "reports"
    command = (sys.executable, "-m", "dreg_client.cli", "validate", source, "--format", "parquet", "-o", reports)
    return process(*command, *options, before=lambda: shutil.rmtree(reports, ignore_errors=True))
