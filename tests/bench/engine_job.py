"""One engine validates Parquet files into Parquet files, as the guide shows: first a few documents, then many.

    python tests/bench/engine_job.py ENGINE FEW MANY FOLDER LAUNCHED

FEW and MANY are folders of Parquet files, FOLDER receives the reports. LAUNCHED is the time when this program was
launched, in seconds since 1970. Prints the seconds from then until the few documents were validated, and the seconds
for the many.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeAlias

import pyarrow as pa
from pyarrow import parquet

from dreg_client import find_partitions, validate_partition
from dreg_client.arrow import REPORT_SCHEMA, report_schema, validate_batches, validate_table

Job: TypeAlias = Callable[[Path, Path], object]
"""Validates the documents in a folder; writes the reports to another one, which does not exist."""


@contextmanager
def spark() -> Generator[Job]:
    """Start Spark with two Python workers."""
    from pyspark.sql import SparkSession
    from pyspark.sql.pandas.types import from_arrow_schema

    os.environ |= {"PYSPARK_PYTHON": sys.executable, "SPARK_LOCAL_IP": "127.0.0.1"}
    session = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").getOrCreate()

    def job(source: Path, target: Path) -> None:
        documents = session.read.parquet(str(source))
        documents.mapInArrow(validate_batches, from_arrow_schema(REPORT_SCHEMA)).write.parquet(str(target))

    yield job
    session.stop()


@contextmanager
def ray() -> Generator[Job]:
    """Start Ray with two CPUs."""
    import ray

    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)

    def job(source: Path, target: Path) -> None:
        documents = ray.data.read_parquet(str(source))
        documents.map_batches(validate_table, batch_format="pyarrow").write_parquet(str(target))

    yield job
    ray.shutdown()


@contextmanager
def dask() -> Generator[Job]:
    """Start a Dask cluster of two worker processes."""
    from distributed import Client, LocalCluster

    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster, Client(cluster) as client:

        def job(source: Path, target: Path) -> None:
            target.mkdir()
            client.gather(client.map(validate_partition, [*find_partitions([str(source)])], folder=str(target)))

        yield job


@contextmanager
def duckdb() -> Generator[Job]:
    """Read and write with DuckDB; validate in this process."""
    from duckdb import connect

    def job(source: Path, target: Path) -> None:
        batches = connect().read_parquet(f"{source}/*.parquet").project("manifest").to_arrow_reader()
        reports = pa.RecordBatchReader.from_batches(report_schema(batches.schema), validate_batches(batches))
        target.mkdir()
        connect().from_arrow(reports).write_parquet(f"{target}/reports.parquet")

    yield job


@contextmanager
def polars() -> Generator[Job]:
    """Read with Polars; validate and write in this process."""
    import polars as pl

    def job(source: Path, target: Path) -> None:
        frames = pl.scan_parquet(source / "*.parquet").select("manifest").collect_batches()
        batches = (batch for frame in frames for batch in frame.to_arrow().to_batches())
        target.mkdir()
        with parquet.ParquetWriter(target / "reports.parquet", REPORT_SCHEMA) as writer:
            for reports in validate_batches(batches):
                writer.write_batch(reports)

    yield job


ENGINES: Final = {"spark": spark, "ray": ray, "dask": dask, "duckdb": duckdb, "polars": polars}


def main(engine: str, few: str, many: str, folder: str, launched: str) -> None:
    """Run an engine; print the figures as the last line."""
    with ENGINES[engine]() as job:
        job(Path(few), Path(folder, "few"))
        start = time.time() - float(launched)
        before = time.perf_counter()
        job(Path(many), Path(folder, "many"))
        seconds = time.perf_counter() - before
    print(json.dumps({"start": start, "seconds": seconds}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
