"""How many blobs and manifests to copy at a time."""

from typing import Final

BLOBS_AT_ONCE: Final = 4
MANIFESTS_AT_ONCE: Final = 3


def numbers_at_once(connections: int | None, for_each: int) -> tuple[int, int]:
    """Return how many blobs and how many manifests to copy at a time, so that a connection is left for manifests.

    Args:
        connections: The number of connections to one host; None if it is not limited.
        for_each: The number of connections that a blob needs: 2 if it is read from and written to the same host.

    Examples:
        >>> numbers_at_once(None, 1), numbers_at_once(8, 1), numbers_at_once(8, 2), numbers_at_once(1, 1)
        ((4, 3), (4, 3), (3, 2), (1, 1))
    """
    if connections is None:
        return BLOBS_AT_ONCE, MANIFESTS_AT_ONCE
    blobs = max(min((connections - 1) // for_each, BLOBS_AT_ONCE), 1)
    return blobs, max(min(connections - blobs * for_each, MANIFESTS_AT_ONCE), 1)
