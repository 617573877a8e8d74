"""How report files are named, and what they state about their partitions: each version finds those of earlier ones."""

import json
from dataclasses import replace
from typing import Any

import pytest

from dreg_client.partitions.part import (
    BlobRange,
    Bytes,
    Files,
    Repositories,
    Rows,
    SingleRepository,
    UnreferencedBlobs,
)
from dreg_client.partitions.partition import Partition


@pytest.mark.parametrize(
    ("partition", "name", "stated"),
    [
        (Partition("/in/a.json", "json"), "a.json-ef41eef8ba7c7906", (0, None, [])),
        (
            Partition("/in", "json", part=Files(("a.json", "b/c.json"))),
            "in-7bdfc6a11e908487",
            (0, None, ["a.json", "b/c.json"]),
        ),
        (Partition("/in/a.jsonl.gz", "json-lines", "gzip"), "a.jsonl.gz-4366eb69263fc861", (0, None, [])),
        (
            Partition("s3://me:secret@b/a.jsonl", "json-lines", part=Bytes(100, 200)),
            "a.jsonl-c828784f069473a4",
            (100, 200, []),
        ),
        (Partition("/in/a.parquet", "parquet", part=Rows(10, 20)), "a.parquet-ca2b4c6b0ed83de5", (10, 20, [])),
        (
            Partition("/store", "registry-storage", part=SingleRepository("acme/web")),
            "store-73b340e371b16923",
            (0, 256, ["acme/web"]),
        ),
        (
            Partition("/store", "registry-storage", part=Repositories(("acme/app", "acme/web"))),
            "store-86fd468240d541c5",
            (0, None, ["acme/app", "acme/web"]),
        ),
        (Partition("/store", "registry-storage", part=BlobRange(16, 17)), "store-9673375cffdf5aec", (16, 17, [])),
        (Partition("/store", "registry-storage", part=UnreferencedBlobs()), "store-4261968bd6fb14d6", (0, None, [])),
    ],
    ids=lambda value: type(value.part).__name__ if isinstance(value, Partition) else None,
)
def test_the_name_and_the_members_of_a_report_stay_the_same(
    partition: Partition, name: str, stated: tuple[Any, ...]
) -> None:
    plain = json.loads(json.dumps(partition.plain()))

    assert partition.report_name == f"{name}.parquet"
    assert list(plain) == ["source", "format", "compression", "start", "stop", "names", "size", "version"]
    assert (plain["start"], plain["stop"], plain["names"]) == stated
    assert Partition.of_plain(plain) == replace(partition, source=plain["source"])


@pytest.mark.parametrize(
    "members",
    [
        {"start": "1"},
        {"stop": 1.5},
        {"names": ["a", 1]},
        {"names": "ab"},
        {"stop": 5},
        {"format": "tar", "names": ["a"]},
        {"format": "registry-storage", "stop": 256, "names": ["a", "b"]},
        {"format": "other"},
        {"format": []},
        {"more": 1},
    ],
    ids=str,
)
def test_members_that_no_partition_has_are_rejected(members: dict[str, Any]) -> None:
    plain = Partition("/in/a.json", "json").plain()

    with pytest.raises((ValueError, TypeError, LookupError)):
        Partition.of_plain({**plain, "names": [], **members})


def test_a_partition_has_a_part_of_its_format() -> None:
    with pytest.raises(TypeError, match="part= takes WholeFile or Bytes for 'json-lines', not Rows"):
        Partition("/in/a.jsonl", "json-lines", part=Rows(0, 1))
