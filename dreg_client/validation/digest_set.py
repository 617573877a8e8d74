"""A set of digests in little memory, of which a large registry has many millions."""

from collections.abc import Iterator, Mapping
from typing import Final

from dreg_client.values.digest import Digest, hex_digits

_FEWEST: Final = 64
_SHARE: Final = 8
"""The share of a part that may wait to be sorted in, 1/8: a waiting digest takes three times as much memory."""


class DigestSet:
    """A set of digests of registered algorithms. Each takes the bytes of its hash, and about a quarter more.

    It has a part for each algorithm and the first two digits: the hashes as sorted bytes, and those that wait to be
    sorted in. A storage has a directory for each of these parts.

    Args:
        packed: The parts of another set, which `packed` returned.
    """

    def __init__(self, packed: Mapping[str, bytes] | None = None) -> None:
        self._sorted: dict[str, bytes] = dict(packed or {})
        self._waiting: dict[str, set[bytes]] = {}

    def add(self, digest: Digest) -> None:
        """Add a digest. Those of algorithms that are not registered are left out: no registry stores them."""
        algorithm, _, encoded = digest.partition(":")
        if digest.registered:
            self._add(f"{algorithm}/{encoded[:2]}", {bytes.fromhex(encoded)})

    def update(self, packed: Mapping[str, bytes]) -> None:
        """Add all digests of another set, given its parts."""
        for part, hashes in packed.items():
            self._add(part, set(_split(hashes, part)))

    def _add(self, part: str, hashes: set[bytes]) -> None:
        waiting = self._waiting.setdefault(part, set())
        waiting |= hashes
        if len(waiting) > max(_FEWEST, len(self._sorted.get(part, b"")) // _width(part) // _SHARE):
            self._sort(part)

    def _sort(self, part: str) -> None:
        waiting = self._waiting.pop(part, set())
        self._sorted[part] = b"".join(sorted(waiting.union(_split(self._sorted.get(part, b""), part))))

    def packed(self) -> Mapping[str, bytes]:
        """Return the parts, which can be pickled."""
        for part in [*self._waiting]:
            self._sort(part)
        return self._sorted

    def part(self, algorithm: str, start: str) -> frozenset[str]:
        """Return the encoded parts of all digests with an algorithm that begin with these two digits."""
        part = f"{algorithm}/{start}"
        if part in self._waiting:
            self._sort(part)
        hashes = self._sorted.get(part)  # none if the algorithm is not registered
        return frozenset(each.hex() for each in _split(hashes, part)) if hashes else frozenset()

    def __len__(self) -> int:
        return sum(len(hashes) // _width(part) for part, hashes in self.packed().items())


def _split(hashes: bytes, part: str) -> Iterator[bytes]:
    width = _width(part)
    return (hashes[at : at + width] for at in range(0, len(hashes), width))


def _width(part: str) -> int:
    """Return the size in bytes of each hash in a part."""
    return hex_digits(part.partition("/")[0]) // 2
