"""Validate Parquet files on Ray; the first worker that has validated a table kills itself or this program."""

import os
import signal
import sys
from pathlib import Path

import pyarrow as pa
import ray

from dreg_client.arrow import validate_table


def killing_once(table: pa.Table, marker: str, driver: int | None) -> pa.Table:
    reports = validate_table(table, keep=["number", "pushed"])
    if not Path(marker).exists():
        Path(marker).touch()
        os.kill(driver or os.getpid(), signal.SIGKILL)
    return reports


def main(source: str, target: str, marker: str, victim: str) -> None:
    ray.init(num_cpus=2, include_dashboard=False)
    documents = ray.data.read_parquet(source)
    options = {"marker": marker, "driver": os.getpid() if victim == "driver" else None}
    reports = documents.map_batches(
        killing_once, batch_format="pyarrow", batch_size=500, zero_copy_batch=True, fn_kwargs=options
    )
    reports.write_parquet(target, mode="overwrite")
    ray.shutdown()


if __name__ == "__main__":
    main(*sys.argv[1:])
