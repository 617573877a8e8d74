"""A run: the validation of partitions into one folder, which can be continued after an interruption."""

import json
import platform
import secrets
from array import array
from bisect import bisect_left
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager, suppress
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final, cast

from dreg_client import __version__
from dreg_client._logging import log
from dreg_client.errors import ClusterError, DregError, FileError
from dreg_client.partitions.partition import Partition, PartitionRules
from dreg_client.partitions.report.file import plain_rules, read_metadata, stated_name
from dreg_client.partitions.report.folder import ReportFolder, folder_at, is_local, local_path
from dreg_client.values.source_url import shown_source

RUN_FILE: Final = "_dreg-run.json"
_LARGEST: Final = 1 << 20


class Run:
    """A run over partitions.

    Attributes:
        place: The absolute path or the URL of the folder.
        folder: The folder of the report files.
        rules: How the documents are validated.
        token: A random text in the folder's run file, by which workers recognise it.
    """

    def __init__(self, place: str, folder: ReportFolder, rules: PartitionRules, *, resumes: bool) -> None:
        self.place: str = place
        self.folder = folder
        self.rules: PartitionRules = rules
        self.token: str = secrets.token_hex(16)
        self._resumes = resumes
        self._names, self._sources = _Seen(), _Seen()

    def noted(self, partitions: Iterable[Partition]) -> Iterator[Partition]:
        """Yield the partitions, and note which ones the run has."""
        for partition in partitions:
            self.note(partition)
            yield partition

    def note(self, partition: Partition) -> None:
        """Note that the run has a partition."""
        if self._resumes:
            self._names.add(partition.report_name)
            self._sources.add(shown_source(partition.source))

    def finish(self) -> None:
        """Delete reports of earlier runs whose documents are in other reports now, because their file was changed.

        Call it once all partitions are done.
        """
        if not self._resumes:
            return
        for name in filter(_is_report, self.folder.names()):
            if name not in self._names and self._is_stale(name):
                self.folder.remove(name)
                log.info("%s/%s: deleted, because its source was changed", self.folder.name, name)

    def _is_stale(self, name: str) -> bool:
        if (stream := self.folder.open(name)) is None:
            return False
        with stream:
            stated = stated_name(read_metadata(stream) or {})
        return stated is not None and stated[1] == name and stated[0] in self._sources


class _Seen:
    """A set of texts with 8 bytes each, since there may be millions. Texts can be looked up once all are added."""

    def __init__(self) -> None:
        self._hashes, self._is_sorted = array("Q"), False

    def add(self, text: str) -> None:
        found = _hash(text)
        if not self._hashes or self._hashes[-1] != found:
            self._hashes.append(found)
            self._is_sorted = False

    def __contains__(self, text: str) -> bool:
        if not self._is_sorted:
            self._hashes, self._is_sorted = array("Q", sorted(self._hashes)), True
        place = bisect_left(self._hashes, found := _hash(text))
        return place < len(self._hashes) and self._hashes[place] == found


def _hash(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(errors="surrogatepass"), digest_size=8).digest(), "big")


def _is_report(name: str) -> bool:
    return name.endswith(".parquet") and not name.startswith((".", "_"))


@contextmanager
def open_run(place: str, rules: PartitionRules, *, resume: bool) -> Generator[Run, None, None]:
    """Begin a run in a folder, or continue one.

    Args:
        place: The path or URL of the folder. It is created if it does not exist.
        rules: How the documents are validated.
        resume: Whether the folder may have the reports of an earlier run.

    Raises:
        FileError: The folder cannot be used: it is not empty, is in use, or cannot be written.
    """
    if is_local(place):
        place = str(Path(local_path(place)).absolute())  # a worker may have another working directory
    folder = folder_at(place)
    folder.create()
    if _run_file(folder) is None:  # no lock file is created in the folder of something else
        _check(folder, resume=resume)
    with folder.lock():
        _check(folder, resume=resume)
        folder.remove_parts()
        run = Run(place, folder, rules, resumes=resume)
        stated = {"dreg": __version__, "rules": plain_rules(rules), "token": run.token}
        with folder.new_file(RUN_FILE) as file:
            file.write(json.dumps(stated).encode())
        try:
            yield run
        finally:
            folder.remove_parts()
            if not resume:
                _forget_if_empty(folder)


def _forget_if_empty(folder: ReportFolder) -> None:
    """Delete the run file of a run that has no reports, so that the folder can be used again."""
    with suppress(DregError):
        if set(folder.names()) == {RUN_FILE}:
            folder.remove(RUN_FILE)


def _check(folder: ReportFolder, *, resume: bool) -> None:
    """Raise an error unless the folder is empty, or has an earlier run that is continued."""
    if next(folder.names(), None) is not None and (not resume or _run_file(folder) is None):
        if resume:
            raise FileError(folder.name, f"is not the folder of an earlier run: it has no valid {RUN_FILE}")
        raise FileError(folder.name, "is not empty; name a new folder, or continue its run with resume=True")


def _run_file(folder: ReportFolder) -> dict[str, Any] | None:
    if (stream := folder.open(RUN_FILE)) is None:
        return None
    with stream:
        raw = stream.read(_LARGEST)
    try:
        stated = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return cast("dict[str, Any]", stated) if isinstance(stated, dict) and "token" in stated else None


def check_token(folder: ReportFolder, token: str) -> None:
    """Check that this process sees the folder of its run.

    Raises:
        ClusterError: It does not, or another run has begun in the folder.
    """
    try:
        stated = _run_file(folder)
    except FileError as failure:
        raise _not_shared(str(failure)) from None
    if stated is None:
        raise _not_shared(f"{folder.name} has no {RUN_FILE} there")
    if stated["token"] != token:
        raise _not_shared(f"{folder.name} is the folder of another run there")


def _not_shared(reason: str) -> ClusterError:
    advice = "use a folder that all workers share, such as one on NFS at the same path, or an s3:// URL"
    return ClusterError(platform.node(), f"the worker does not see the folder of the run: {reason}; {advice}")
