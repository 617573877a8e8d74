"""Validate Parquet files on Spark; the first worker that has yielded two batches kills itself or this program."""

import os
import signal
import sys
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path

import pyarrow as pa
from pyspark.sql import SparkSession
from pyspark.sql.pandas.types import from_arrow_schema
from pyspark.sql.types import StructType

from dreg_client.arrow import REPORT_SCHEMA, validate_batches

KEEP = ["number", "pushed"]


def killing_once(batches: Iterable[pa.RecordBatch], marker: str, driver: int | None) -> Iterator[pa.RecordBatch]:
    for number, reports in enumerate(validate_batches(batches, keep=KEEP)):
        if number == 2 and not Path(marker).exists():
            Path(marker).touch()
            os.kill(driver or os.getpid(), signal.SIGKILL)
        yield reports


def main(source: str, target: str, marker: str, victim: str) -> None:
    session = SparkSession.builder.master("local[2, 4]").config("spark.ui.enabled", "false")
    spark = session.config("spark.sql.execution.arrow.maxRecordsPerBatch", "500").getOrCreate()
    documents = spark.read.parquet(source)
    schema = StructType([*documents.select(*KEEP).schema, *from_arrow_schema(REPORT_SCHEMA)])
    validate = partial(killing_once, marker=marker, driver=os.getpid() if victim == "driver" else None)
    documents.mapInArrow(validate, schema).write.mode("overwrite").parquet(target)
    spark.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
