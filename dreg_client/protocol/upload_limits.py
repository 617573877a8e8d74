"""The sizes of chunks that the hosts of one client accept, as far as their responses have shown."""

from typing import Final

from dreg_client.values.origin import Origin
from dreg_client.values.sizes import MEBIBYTE

CHUNK: Final = 16 * MEBIBYTE
"""The default size of a chunk."""
LARGEST_CHUNK: Final = 64 * MEBIBYTE
"""The largest chunk to hold in memory."""
SMALL_CHUNK: Final = 4 * MEBIBYTE
"""The size of chunks that GitHub accepts at most."""
_KNOWN: Final = {"ghcr.io": SMALL_CHUNK}


class UploadLimits:
    """What one registry accepts. Uploads of one client share it.

    Attributes:
        chunk: The size of a chunk in bytes.
        takes_chunks: Whether the registry accepts chunks.
        takes_whole: Whether it accepts large blobs in one request.
        takes_puts: Whether the registry accepts a whole blob in the closing PUT.
        no_mounts: Pairs of repositories between which it does not mount blobs.
    """

    def __init__(self, origin: Origin) -> None:
        self.chunk: int = _KNOWN.get(origin.host, CHUNK)
        self.takes_chunks: bool = True
        self.takes_whole: bool = True
        self.takes_puts: bool = True
        self.no_mounts: set[tuple[str, str]] = set()

    def shrink(self) -> bool:
        """Use smaller chunks after a rejected one; return False if they already are small."""
        is_large = self.chunk > SMALL_CHUNK
        self.chunk = min(self.chunk, SMALL_CHUNK)
        return is_large
