"""Scaling: the cost per tag, list entry and MiB of ten times the work."""

import sys
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parents[2]))

from contest import Found, contest, rate, within
from served import place_blob, server
from tables import QUICK, spread, table, verdict
from tags import TAGS, by_threads, put_tags

from dreg_client import Registry
from tests.registries import RunningRegistry, running

_ENTRIES = 1_000 if QUICK else 10_000
_MEBIBYTES = 8 if QUICK else 64
_ONE, _TEN = "once", "ten times"


def tables() -> Iterator[str]:
    """Yield the tables of this suite."""
    with tempfile.TemporaryDirectory() as folder, running(Path(folder)) as own:
        rows = [
            _row("a tag to its manifest, 8 threads", f"{TAGS // 10:,} and {TAGS:,} tags", _manifests(own)),
            _row("a tag of a list", f"{_ENTRIES:,} and {10 * _ENTRIES:,} tags", _entries()),
            _row("a MiB of a blob", f"{_MEBIBYTES} and {10 * _MEBIBYTES} MiB", _blobs(own, Path(folder, "target"))),
        ]
    yield table(
        "Scaling: the cost per item of ten times the work",
        ["of", "work", "wall", "CPU", "target"],
        rows,
    )


def _row(what: str, work: str, found: Found) -> list[str]:
    failures = [turns for turns in found.values() if isinstance(turns, str)]
    if failures:
        return [what, work, failures[0], "", ""]
    wall, cpu = ([times / 10 for times in rate(found, _TEN, _ONE, of)] for of in ("wall", "cpu"))
    return [what, work, spread(wall), spread(cpu), verdict(median(wall), most=1.15)]


def _manifests(own: RunningRegistry) -> Found:
    tags = put_tags(own, TAGS)
    few = partial(by_threads, own, tags[: TAGS // 10])
    return contest({_ONE: within(few), _TEN: within(partial(by_threads, own, tags))}, rounds=5)


def _entries() -> Found:
    with (
        server("paging_server.py", str(_ENTRIES), "1000") as small,
        server("paging_server.py", str(10 * _ENTRIES), "1000") as large,
    ):
        return contest({_ONE: within(partial(_list, small)), _TEN: within(partial(_list, large))}, rounds=5)


def _list(address: str) -> None:
    with Registry(f"http://{address}") as registry:
        assert sum(1 for _ in registry.repository("bench/list").iter_tags(n=1000))


def _blobs(own: RunningRegistry, target: Path) -> Found:
    small, large = (place_blob(own, "bench/blob", size) for size in (_MEBIBYTES, 10 * _MEBIBYTES))
    return contest(
        {_ONE: within(partial(_blob, own, small, target)), _TEN: within(partial(_blob, own, large, target))}, rounds=5
    )


def _blob(own: RunningRegistry, digest: str, target: Path) -> None:
    with Registry(own.url) as registry:
        registry.repository("bench/blob").download_blob(digest, target, durability="fast")
