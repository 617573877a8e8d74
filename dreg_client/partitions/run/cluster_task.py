"""What a worker of a Dask cluster does with a partition. It imports nothing that a worker may lack."""

import pickle
import platform
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from dreg_client import __version__
from dreg_client.errors import ClusterError, MissingLibraryError
from dreg_client.partitions.partition import Partition

if TYPE_CHECKING:
    from dreg_client.partitions.run.validate import PartitionResult

Task: TypeAlias = "Callable[[Partition], PartitionResult]"


class _Call:
    """A function and its arguments, which is called when it is unpickled."""

    def __init__(self, *parts: object) -> None:
        self._parts = parts

    def __reduce__(self) -> tuple[Any, ...]:
        called, *arguments = self._parts
        return called, tuple(arguments)


def packed(task: Task, partition: Partition) -> bytes:
    """Return a task as bytes for `pickle.loads`.

    The scheduler and workers unpickle a function before they run it. If they lack its module, workers end, and the run
    waits for ever. `pickle.loads` they have, and what it raises is the error of this task alone.
    """
    return pickle.dumps(_Call(run_packed, __version__, pickle.dumps((task, partition))))


def run_packed(version: str, octets: bytes) -> "PartitionResult":
    """Run a task on a worker.

    Raises:
        ClusterError: This worker has another version of dreg-client, or lacks a library.
    """
    if version != __version__:
        reason = f"the worker has dreg-client {__version__}, but the run was started by {version}; install the same one"
        raise ClusterError(platform.node(), reason)
    try:
        task, partition = cast("tuple[Task, Partition]", pickle.loads(octets))  # noqa: S301 (from the driver)
        return task(partition)
    except MissingLibraryError as failure:
        raise ClusterError(platform.node(), f"the worker lacks a library: {failure}") from None
