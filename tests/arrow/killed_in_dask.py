"""Validate partitions on Dask; once the first one is done, a victim is killed.

The victim is `worker`, one that is busy with another partition, `driver`, this program, or `nothing`.
"""

import os
import signal
import sys
from functools import partial

from distributed import Client, LocalCluster, as_completed

from dreg_client import Partition, find_partitions, validate_partition


def validate_here(partition: Partition, folder: str) -> int:
    """Validate a partition; return the process that did it."""
    validate_partition(partition, folder)
    return os.getpid()


def main(source: str, target: str, victim: str) -> None:
    partitions = list(find_partitions([source]))
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster, Client(cluster) as client:
        workers = set(client.run(os.getpid).values())
        tasks = as_completed(client.map(partial(validate_here, folder=target), partitions), with_results=True)
        _, first = next(tasks)
        if victim != "nothing":
            (busy,) = workers - {first}
            os.kill(busy if victim == "worker" else os.getpid(), signal.SIGKILL)
        done = 1 + sum(1 for _ in tasks)
        print(len(partitions), done, workers <= set(client.run(os.getpid).values()))  # noqa: T201


if __name__ == "__main__":
    main(*sys.argv[1:])
