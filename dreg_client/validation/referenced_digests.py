"""What the manifests of a registry's storage refer to, and what prevented finding it out."""

from dreg_client.errors import LayoutError
from dreg_client.validation.digest_set import DigestSet
from dreg_client.values.digest import Digest


class ReferencedDigests:
    """What was learnt while the repositories of a storage were read. It can be pickled.

    Attributes:
        digests: The digests of all manifests, and of all that they refer to, as they are stored.
        unread_file: The path of the first file or directory that could not be read, and the reason.
        further: The number of further ones.
        unknown_manifest: The same as `unread_file`, for the first manifest, or place that may contain some, of which it
            is not known what it refers to.
    """

    def __init__(self) -> None:
        self.digests: DigestSet = DigestSet()
        self.unread_file: tuple[str, str] | None = None
        self.further: int = 0
        self.unknown_manifest: tuple[str, str] | None = None

    @property
    def is_known(self) -> bool:
        """Whether `digests` are all: every manifest could be read. Otherwise, no blob may be called unreferenced."""
        return self.unknown_manifest is None

    def add(self, digest: Digest) -> None:
        """Note a digest that a manifest refers to, or that of a manifest."""
        self.digests.add(digest)

    def note_unread(self, failure: LayoutError) -> None:
        """Note a file or directory that could not be read."""
        self.further += self.unread_file is not None
        self.unread_file = self.unread_file or (failure.path, failure.reason)
        self.note_unknown(failure.path, failure.reason)

    def note_unknown(self, path: str, reason: str) -> None:
        """Note a manifest, or a place with manifests, of which it is not known what they refer to."""
        self.unknown_manifest = self.unknown_manifest or (path, reason)

    def merge(self, other: "ReferencedDigests") -> None:
        """Add what was learnt from other repositories."""
        self.digests.update(other.digests.packed())
        self.further += other.further + (self.unread_file is not None and other.unread_file is not None)
        self.unread_file = self.unread_file or other.unread_file
        self.unknown_manifest = self.unknown_manifest or other.unknown_manifest

    def check_read(self) -> None:
        """Raise LayoutError if a file or directory could not be read."""
        if self.unread_file is not None:
            path, reason = self.unread_file
            others = f"; {self.further:,} more could not be read" if self.further else ""
            raise LayoutError(path, f"{reason}{others}")

    def check_known(self) -> None:
        """Raise LayoutError if it is not known what all manifests refer to."""
        self.check_read()
        if self.unknown_manifest is not None:
            path, reason = self.unknown_manifest
            what = "so it is not known which blobs are unreferenced; none was reported"
            raise LayoutError(path, f"{reason}, {what}")
