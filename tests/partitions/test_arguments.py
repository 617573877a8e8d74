"""Arguments of the functions for partitions: wrong ones raise one clear error, before anything is written."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest

from dreg_client import LineRules, PartitionRules, find_partitions, validate_file, validate_partition
from dreg_client.partitions.partition import Partition
from dreg_client.partitions.run.run_partitions import run_partitions

GIVEN = [Partition("/dumps/web.jsonl", "json-lines")]
WRONG: Any = cast("Any", 7)
NAME: Any = cast("Any", "id")


_ARGUMENTS: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"partitions": ["web.jsonl"]}, TypeError, "partitions= takes a Partition, not str"),
    ({"partitions": "web.jsonl"}, TypeError, "partitions= takes a list or another iterable, not str"),
    ({"folder": Path("out")}, TypeError, "folder= takes a str, not "),
    ({"rules": LineRules()}, TypeError, "rules= takes a PartitionRules, not LineRules"),
    ({"jobs": 0}, ValueError, "jobs= must be at least 1, not 0"),
    ({"jobs": -1}, ValueError, "jobs= must be at least 1, not -1"),
    ({"jobs": "2"}, TypeError, "jobs= takes an int, not str"),
    ({"jobs": True}, TypeError, "jobs= takes an int, not bool"),
    ({"resume": "no"}, TypeError, "resume= takes True or False, not 'no'"),
    ({"scheduler": 8786}, TypeError, "scheduler= takes a str, not int"),
    ({"sources": "dumps"}, TypeError, "sources= takes a list or another iterable, not str"),
]


@pytest.mark.parametrize(("arguments", "error", "says"), _ARGUMENTS, ids=map(str, range(len(_ARGUMENTS))))
def test_a_wrong_argument_of_a_run_is_an_error_before_anything_is_written(
    tmp_path: Path, arguments: dict[str, Any], error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        list(run_partitions(**{"partitions": GIVEN, "folder": str(tmp_path / "out"), **arguments}))
    assert list(tmp_path.iterdir()) == []


def test_sources_that_cannot_be_found_are_an_error_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="none"):
        list(run_partitions(find_partitions([str(tmp_path / "none")]), str(tmp_path / "out")))
    assert list(tmp_path.iterdir()) == []


_CALLS: list[tuple[Callable[[], object], type[Exception], str]] = [
    (lambda: LineRules(kind="nope"), ValueError, r"kind= takes 'descriptor', .* or 'legacy-manifest', not 'nope'"),
    (lambda: LineRules(kind=""), ValueError, "kind= takes 'descriptor'"),
    (lambda: LineRules(field=WRONG), TypeError, "field= takes a str, not int"),
    (lambda: LineRules(media_type=WRONG), TypeError, "media_type= takes a str, not int"),
    (lambda: LineRules(pedantic=WRONG), TypeError, "pedantic= takes True or False, not 7"),
    (lambda: PartitionRules(cast("Any", "manifest")), TypeError, "lines= takes a LineRules, not str"),
    (lambda: PartitionRules(column=WRONG), TypeError, "column= takes a str, not int"),
    (
        lambda: PartitionRules(keep=NAME),
        TypeError,
        "keep= takes a list or another iterable, not str",
    ),
    (lambda: PartitionRules(keep=(WRONG,)), TypeError, "keep= takes a str, not int"),
    (lambda: PartitionRules(blobs=WRONG), TypeError, "blobs= takes True or False, not 7"),
    (lambda: validate_partition(WRONG, "out"), TypeError, "partition= takes a Partition, not int"),
    (lambda: validate_partition(GIVEN[0], WRONG), TypeError, "folder= takes a str, not int"),
    (lambda: validate_partition(GIVEN[0], "out", WRONG), TypeError, "rules= takes a PartitionRules, not int"),
    (lambda: list(find_partitions("dumps")), TypeError, "sources= takes a list or another iterable, not str"),
    (lambda: list(find_partitions([], WRONG)), TypeError, "rules= takes a PartitionRules, not int"),
    (lambda: list(find_partitions([], size=0)), ValueError, "size= must be at least 1, not 0"),
    (lambda: validate_file("x", jobs=0), ValueError, "jobs= must be at least 1, not 0"),
]


@pytest.mark.parametrize(("call", "error", "says"), _CALLS, ids=map(str, range(len(_CALLS))))
def test_a_wrong_argument_is_an_error(call: Callable[[], object], error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        call()


def test_kept_columns_may_be_a_list() -> None:
    assert PartitionRules(keep=cast("Any", ["id"])) == PartitionRules(keep=("id",))
