"""Storages with very many reports."""

import tracemalloc

from dreg_client.models import rules
from dreg_client.partitions.partition import PartitionRules
from dreg_client.partitions.storage.packed import PackedReports
from dreg_client.partitions.storage.reports import StorageRun
from dreg_client.validation.report import FileReport
from dreg_client.validation.storage_entries import file_report
from dreg_client.values.digest import Digest
from tests.storage.planted import Found, Tree, write

MANY = 1100


def upload_report(number: int) -> FileReport:
    name = Digest.of(b"%d" % number).encoded[:32]
    found = f"an upload of {number} bytes that began {number % 90} days ago"
    problem = rules.warning("STO-04", "$", found, "a completed or cancelled upload")
    return file_report(f"/var/lib/registry/docker/registry/v2/repositories/acme/web/_uploads/{name}", problem)


def test_val_186_many_reports_take_little_memory_while_they_wait() -> None:
    """A process that is ahead of the others holds its reports until they are handed over."""
    reports, count = PackedReports(), 20_000
    tracemalloc.start()
    reports.extend(upload_report(number) for number in range(count))
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert size / count < 60, "a report alone takes more than ten times as much"
    assert [*reports] == [upload_report(number) for number in range(count)]


def test_val_186_many_uploads_are_reported_in_the_same_order_by_several_processes(tree: Tree) -> None:
    """Of repositories after one with many, too, which another piece of work then has."""
    for name in ("acme/many", "acme/rest"):
        for number in range(1 if name == "acme/rest" else MANY):
            write(tree.repository(name) / f"_uploads/{number:08}/startedat", b"2026-01-01T00:00:00Z")
    alone, several = ([*StorageRun(str(tree.path), None, PartitionRules(), jobs).reports()] for jobs in (1, 2))

    assert [each.name for each in several] == [each.name for each in alone]
    assert len({each.name for each in alone if "/_uploads/" in each.name}) == MANY + 1


def test_a_repository_with_nothing_but_uploads_is_there(tree: Tree) -> None:
    tree.put_upload("never/pushed", b"1", "2026-01-02T03:04:05Z")
    place = "repositories/never/pushed/_uploads/0c6f1bd3-3ef1-4a31-b6b1-c8b3a5f5f6d0"

    assert tree.problems() == [Found("STO-04", "warning", place, 1)]
