"""Groups of things to copy or to change."""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import TypeVar

from dreg_client.values.digest import Digest

T = TypeVar("T")


def batches_of_manifests(items: Iterable[T], digest_of: Callable[[T], Digest], most: int) -> Iterator[list[T]]:
    """Yield items in groups of at most `most` manifests. All items of a manifest are in one group.

    Examples:
        >>> found = batches_of_manifests(["1", "2", "latest"], {"1": "a", "2": "b", "latest": "a"}.get, 1)
        >>> [*found]
        [['1', 'latest'], ['2']]
    """
    by_digest: dict[Digest, list[T]] = {}
    for item in items:
        by_digest.setdefault(digest_of(item), []).append(item)
    groups = iter(by_digest.values())
    while batch := [item for group in islice(groups, most) for item in group]:
        yield batch
