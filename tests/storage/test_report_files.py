"""The report files of a storage."""

from pathlib import Path

from dreg_client import find_partitions, validate_partition
from dreg_client.partitions.partition import PartitionRules
from dreg_client.partitions.report.read import read_report
from dreg_client.validation.dumps import LineRules
from tests.storage.flaky import FlakyTree
from tests.storage.planted import Tree

PEDANTIC = PartitionRules(LineRules(pedantic=True))
"""The blobs are young."""


def test_a_report_file_with_unreferenced_blobs_states_its_sums_and_its_failure(tree: Tree, tmp_path: Path) -> None:
    """They need not be read from its rows, which do not tell that something could not be read."""
    blobs = sorted(tree.put_blob(b"unreferenced %d" % number) for number in range(4))
    flaky = FlakyTree(tree, f"{blobs[3][7:]}/data?info")
    [*_, partition] = find_partitions([flaky.name], PEDANTIC)
    written = validate_partition(partition, str(tmp_path), PEDANTIC)
    read = read_report(str(tmp_path / partition.report_name))

    assert (read.summary.unreferenced, read.summary.unreferenced_size) == (3, 42)
    assert read.summary == written.summary
    assert [("Input/output error" in failure) for _, failure in read.failed] == [True]
