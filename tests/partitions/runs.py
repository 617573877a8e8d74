"""Inputs of runs over partitions, what their report files contain, and tasks that end their process."""

import json
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from pyarrow import dataset, parquet

from dreg_client.partitions.input.discover import find_partitions
from dreg_client.partitions.partition import Partition
from dreg_client.partitions.report.stated import METADATA
from dreg_client.partitions.run.validate import PartitionResult
from dreg_client.partitions.summary import Summary

ROOT = Path(__file__).parents[2]
DREG = [sys.executable, "-m", "dreg_client.cli"]
PATIENCE = 60.0
CONFIG = {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": f"sha256:{'a' * 64}", "size": 2}


def document(number: int) -> bytes:
    """A manifest; every tenth one is not valid."""
    manifest: dict[str, Any] = {"schemaVersion": 2, "config": CONFIG, "layers": [], "annotations": {"n": str(number)}}
    return json.dumps(manifest if number % 10 else {**manifest, "layers": {}}).encode()


def write_lines(file: Path, start: int, stop: int) -> None:
    """Write the documents of some numbers, one per line."""
    file.write_bytes(b"".join(document(number) + b"\n" for number in range(start, stop)))


def write_files(folder: Path, files: int, documents: int) -> None:
    """Write files of as many documents each."""
    folder.mkdir(exist_ok=True)
    for number in range(files):
        write_lines(folder / f"{number:04}.jsonl", number * documents, (number + 1) * documents)


def partitions_of(folder: Path, *, size: int = 1 << 27) -> list[Partition]:
    """The partitions of all files in a folder."""
    return list(find_partitions([str(folder)], size=size))


def reported(folder: Path) -> Counter[str]:
    """How often each document is in the report files of a folder, by its digest."""
    return Counter(dataset.dataset(folder, format="parquet").to_table(["digest"])["digest"].to_pylist())


def stated(file: Path) -> Any:
    """What a report file states about itself."""
    return json.loads(parquet.read_metadata(file).metadata[METADATA.encode()])


def reports(folder: Path) -> list[Path]:
    """The report files in a folder."""
    return sorted(folder.glob("*.parquet"))


def left(folder: Path) -> list[str]:
    """What is in a folder besides its report files and those of the run."""
    names = {path.name for path in folder.iterdir()} - {path.name for path in reports(folder)}
    return sorted(names - {"_dreg-run.json", "_dreg-run.lock"})


def wait_for(what: Callable[[], object]) -> None:
    """Wait until something is true."""
    until = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < until, "it did not happen"
        os.sched_yield()


def below(process: int) -> list[int]:
    """The processes that a process has started, and those that they have."""
    found = [int(child) for children in _children(process) for child in children.split()]
    return found + [inner for child in found for inner in below(child)]


def _children(process: int) -> Iterator[str]:
    for task in Path(f"/proc/{process}/task").glob("*/children"):
        try:
            yield task.read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue


def workers(process: int) -> list[int]:
    """The worker processes of a run: those that `multiprocessing` started."""
    return [child for child in below(process) if "spawn_main" in _command(child)]


def _command(process: int) -> str:
    try:
        return Path(f"/proc/{process}/cmdline").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def kill_once(partition: Partition) -> PartitionResult:
    """A task that ends its process with SIGKILL the first time, as the kernel does if memory runs out."""
    try:
        os.close(os.open(f"{partition.source}.killed", os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return PartitionResult(partition, Summary(1, 1))
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def kill_always(partition: Partition) -> PartitionResult:
    """A task that ends its process for one partition, and notes each attempt."""
    if partition.source.endswith("bad"):
        with Path(f"{partition.source}.attempts").open("ab") as file:
            file.write(b".")
        os.kill(os.getpid(), signal.SIGKILL)
    return PartitionResult(partition, Summary(1, 1))


def end(partition: Partition) -> PartitionResult:
    """A task that ends its process by the signal, or with the exit code, that the partition is named after."""
    code = int(Path(partition.source).name)
    if code < 0:
        os.kill(os.getpid(), -code)
    os._exit(code)


def note(partition: Partition) -> PartitionResult:
    """A task that notes each attempt."""
    with Path(f"{partition.source}.attempts").open("ab") as file:
        file.write(b".")
    return PartitionResult(partition, Summary(1, 1))


def kill_both(partition: Partition) -> PartitionResult:
    """A task that ends its process for a bad partition, and takes a good one in the same process with it."""
    place = Path(partition.source)
    other = place.with_name("good" if place.name == "bad" else "bad")
    place.with_name(f"{place.name}.{os.getpid()}").touch()
    if is_first := not place.with_name("together").exists():
        wait_for(other.with_name(f"{other.name}.{os.getpid()}").exists)
        place.with_name("together").touch()
    if place.name == "bad" or is_first:
        wait_for(lambda: place.name == "bad")
        os.kill(os.getpid(), signal.SIGKILL)
    return note(partition)


def fail(partition: Partition) -> PartitionResult:
    """A task with an error that ends the run."""
    raise PermissionError(13, "Permission denied", partition.source)
