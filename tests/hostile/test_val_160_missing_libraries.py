"""An installation with only the extra `cli`: what needs another library names it once, and what to install."""

import os
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.commands import run_limited

WITHOUT = """
import sys
for name in ("pyarrow", "fsspec", "distributed", "backports.zstd", "compression.zstd"):
    sys.modules[name] = None  # to Python this says: not to be found
"""
COMMAND = f"{WITHOUT}\nfrom dreg_client.cli import main\nmain()"
ZSTD_FRAME = bytes.fromhex("28b52ffd04000900007b7d0a00000000")
PYARROW, FSSPEC, ZSTD = "pyarrow (the extra arrow)", "fsspec (the extra remote)", "backports.zstd (the extra zstd)"


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """Return a folder with two files of each format that needs a library."""
    for name in ("a", "b"):
        pq.write_table(pa.table({"manifest": [b"{}"]}), tmp_path / f"{name}.parquet")
        (tmp_path / f"{name}.jsonl.zst").write_bytes(ZSTD_FRAME)
    (tmp_path / "good.jsonl").write_bytes(b"{}\n")
    return tmp_path


@pytest.fixture
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return variables with which other processes that a command starts do not find the libraries either."""
    hidden = tmp_path_factory.mktemp("hidden")
    (hidden / "sitecustomize.py").write_text(WITHOUT)
    return {**os.environ, "PYTHONPATH": str(hidden)}


@pytest.mark.parametrize(
    ("arguments", "missing"),
    [
        (["validate", "a.parquet"], [PYARROW]),
        (["validate", "a.parquet", "b.parquet", "a.jsonl.zst", "b.jsonl.zst"], [PYARROW, ZSTD]),
        (["validate", ".", "--quiet", "--format", "json"], [ZSTD, PYARROW]),
        (["validate", "good.jsonl", "--format", "parquet", "-o", "out"], [PYARROW]),
        (["validate", "good.jsonl", "--format", "parquet", "-o", "out", "--scheduler", "local"], [PYARROW]),
        (["validate", "s3://bucket/a.jsonl", "s3://bucket/b.jsonl"], [FSSPEC]),
        (["validate", "registry-storage:s3://bucket/registry"], [FSSPEC]),
        (["repos", "registry-storage:s3://bucket/registry"], [FSSPEC]),
        (["inspect", "registry-storage:s3://bucket/registry/acme/web:1.4"], [FSSPEC]),
        (["report", "."], [ZSTD, PYARROW]),
        (["report", "a.parquet", "b.parquet", "--format", "json"], [PYARROW]),
        (["report", "s3://bucket/reports"], [FSSPEC]),
    ],
    ids=lambda it: " ".join(it) if it[0] in {"validate", "repos", "inspect", "report"} else "",
)
def test_val_160_commands_name_each_missing_library_once(
    files: Path, environment: dict[str, str], arguments: list[str], missing: list[str]
) -> None:
    done = run_limited(
        [sys.executable, "-c", COMMAND, *arguments],
        cwd=files,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    lines = [line for line in done.stderr.splitlines() if "is not installed; install it with: pip install" in line]
    assert done.returncode in {1, 2}
    assert len(lines) == len(missing)
    assert all(name in line for name, line in zip(missing, lines, strict=True))
    assert "bug in dreg" not in done.stderr
    assert not (files / "out").exists()


def test_val_160_every_function_names_the_missing_library(files: Path) -> None:
    code = f"""{WITHOUT}
from dreg_client import *
from dreg_client.errors import MissingLibraryError
from dreg_client.partitions.input.read import batches_in, reports_in, rows_in

parquet, [zstd] = Partition("a.parquet", "parquet"), find_partitions(["a.jsonl.zst"])
for call in (
    lambda: [*rows_in(parquet)],
    lambda: [*batches_in(parquet)],
    lambda: [*reports_in(parquet)],
    lambda: validate_partition(parquet, "."),
    lambda: [*reports_in(zstd)],
    lambda: [*find_partitions(["s3://bucket"])],
    lambda: RegistryStorage("s3://bucket"),
    lambda: open_store("registry-storage:s3://bucket/acme/web"),
):
    try:
        call()
    except MissingLibraryError as failure:
        print(failure.extra)
"""
    done = run_limited([sys.executable, "-c", code], cwd=files, capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["arrow"] * 4 + ["zstd"] + ["remote"] * 3
