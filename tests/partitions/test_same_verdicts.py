"""A row of a Parquet file has the same verdict in a report file as in the text output, whatever the rules are."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from dreg_client import validate_partition
from dreg_client.partitions.input.discover import find_partitions
from dreg_client.partitions.input.read import reports_in
from dreg_client.partitions.partition import PartitionRules
from dreg_client.validation.dumps import LineRules
from tests.arrow.columns import VECTORS

INDEX = "application/vnd.oci.image.index.v1+json"
DOCKER = "application/vnd.docker.distribution.manifest.v2+json"


@pytest.mark.parametrize("media_type_column", ["", "media_type"])
@pytest.mark.parametrize("kind_column", ["", "kind"])
@pytest.mark.parametrize(
    "lines",
    [
        LineRules(),
        LineRules(pedantic=True),
        LineRules(kind="oci-manifest"),
        LineRules(media_type=INDEX),
        LineRules(media_type=DOCKER, kind="docker-manifest", pedantic=True),
    ],
    ids=repr,
)
def test_a_row_has_the_same_verdict_in_both_outputs(
    tmp_path: Path, lines: LineRules, media_type_column: str, kind_column: str
) -> None:
    kinds = [*dict.fromkeys(str(vector["kind"]) for vector in VECTORS)]
    raws = [str(vector["body"]).encode("utf-8", "surrogatepass") for vector in VECTORS]
    types = [(None, INDEX, DOCKER)[number % 3] for number in range(len(raws))]
    stated = [[None, *kinds, "no-kind"][number % (len(kinds) + 2)] for number in range(len(raws))]
    columns: dict[str, Any] = {
        "manifest": pa.array([*raws, None], pa.binary()),
        "media_type": pa.array([*types, None], pa.string()),
        "kind": pa.array([*stated, None], pa.string()),
    }
    parquet.write_table(pa.table(columns), tmp_path / "a.parquet")
    rules = PartitionRules(lines, media_type_column=media_type_column, kind_column=kind_column)
    [partition] = find_partitions([str(tmp_path / "a.parquet")], rules)
    texts = [
        [(problem.rule, problem.path, str(problem.severity)) for problem in each.report.problems]
        for each in reports_in(partition, rules)
    ]

    (tmp_path / "out").mkdir()
    done = validate_partition(partition, str(tmp_path / "out"), rules)
    rows = parquet.read_table(tmp_path / "out")["problems"].to_pylist()

    assert done.failure is None
    assert [[(it["rule"], it["path"], it["severity"]) for it in problems] for problems in rows] == texts
