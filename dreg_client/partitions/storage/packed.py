"""Many reports in little memory, to hand them from one process to another."""

import pickle
import zlib
from collections.abc import Iterable, Iterator
from typing import Final, cast

from dreg_client.validation.report import FileReport

_TOGETHER: Final = 1000


class PackedReports:
    """Reports in order, compressed by the thousand: a repository may have a million uploads that were left behind.

    A report of an upload takes a kilobyte, but 40 bytes when it is compressed with others. It can be pickled.
    """

    def __init__(self) -> None:
        self._packed = list[bytes]()
        self._last = list[FileReport]()

    @property
    def are_many(self) -> bool:
        """Whether there are so many that they were compressed."""
        return bool(self._packed)

    def extend(self, reports: Iterable[FileReport]) -> None:
        """Add reports at the end."""
        for found in reports:
            self._last.append(found)
            if len(self._last) == _TOGETHER:
                self._packed.append(zlib.compress(pickle.dumps(self._last), 1))
                self._last = []

    def __iter__(self) -> Iterator[FileReport]:
        for packed in self._packed:
            # A process of this program has pickled them.
            yield from cast("list[FileReport]", pickle.loads(zlib.decompress(packed)))  # noqa: S301
        yield from self._last
