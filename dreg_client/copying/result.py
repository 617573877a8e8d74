"""The result of a copy."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from dreg_client import errors
from dreg_client.copying.outcome import outcome_of
from dreg_client.models.descriptor import Descriptor
from dreg_client.models.frozen import FrozenDict
from dreg_client.protocol.events import Copied, Outcome
from dreg_client.values.digest import Digest


@dataclass(frozen=True, slots=True)
class Transferred:
    """A number of blobs or manifests.

    Attributes:
        count: How many there are.
        size: Their total size in bytes.
    """

    count: int = 0
    size: int = 0

    def __add__(self, size: int) -> "Transferred":
        return Transferred(self.count + 1, self.size + size)


@dataclass(frozen=True, slots=True)
class CopyResult:
    """What a copy wrote, or, with `dry_run`, what it would write.

    Attributes:
        digests: The digest of each manifest or index that was copied, by its tag in the destination; by the digest
            itself if it was written without a tag. Those that were already there are included.
        mapping: The digests of the indexes that several `platforms` were selected from, and of the new indexes. Empty
            if all digests are the same as in the source.
        copied: The blobs that were transferred.
        skipped: The blobs that the destination already had.
        mounted: The blobs that the registry took over from another of its repositories.
        manifests: The manifests and indexes that were written.
        tagged: The tags that were written: those that are new, or named another manifest before.
        left_out: The layers that were not copied because the source does not have them. Clients download them from
            their `urls`.
        uncopied_referrers: With `referrers`, the signatures and other referrers that were not copied, because they
            refer to indexes of which only some `platforms` were copied; also those at digest tags.
        not_replaced: The tags that were not copied, because of `no_clobber`.
        is_dry_run: Whether nothing was written.
    """

    digests: Mapping[str, Digest] = field(default_factory=FrozenDict[str, Digest])
    mapping: Mapping[Digest, Digest] = field(default_factory=FrozenDict[Digest, Digest])
    copied: Transferred = Transferred()
    skipped: Transferred = Transferred()
    mounted: Transferred = Transferred()
    manifests: Transferred = Transferred()
    tagged: tuple[str, ...] = ()
    left_out: tuple[Descriptor, ...] = ()
    uncopied_referrers: tuple[Descriptor, ...] = ()
    not_replaced: tuple[str, ...] = ()
    is_dry_run: bool = False

    @property
    def digest(self) -> Digest:
        """The digest of the copied manifest or index, in the destination.

        Raises:
            ConflictError: Several were copied, or none; see `digests`.
        """
        found = {*self.digests.values()}
        if len(found) != 1:
            raise errors.ConflictError(f"{len(found)} manifests were copied; .digests lists them")
        return found.pop()

    @property
    def is_unchanged(self) -> bool:
        """Whether the destination already had everything."""
        return not (self.copied.count or self.mounted.count or self.manifests.count or self.tagged)


class CopyRecord:
    """What a copy has done so far. Other attributes are those of `CopyResult`.

    Args:
        is_atomic: Whether nothing stays in the destination if the copy fails, because it is an archive.
    """

    def __init__(self, *, is_atomic: bool) -> None:
        self._is_atomic = is_atomic
        self.digests: dict[str, Digest] = {}
        self.mapping: dict[Digest, Digest] = {}
        self.tagged: list[str] = []
        self.left_out: list[Descriptor] = []
        self.uncopied_referrers: dict[Digest, Descriptor] = {}
        self.not_replaced: list[str] = []
        self._counts: dict[str, Transferred] = {}

    def add(self, descriptor: Descriptor, outcome: Outcome, *, is_manifest: bool = False) -> Copied:
        """Count a blob or manifest; return the event."""
        if outcome == "left out":
            self.left_out.append(descriptor)
        name = ("manifests" if outcome == "copied" else "") if is_manifest else outcome
        self._counts[name] = self.count(name) + descriptor.size
        return Copied(descriptor.digest, descriptor.size, outcome, is_manifest)

    def count(self, name: str) -> Transferred:
        """Return the number of blobs that were `copied`, `skipped` or `mounted`, or of `manifests`."""
        return self._counts.get(name, Transferred())

    def outcome(self) -> str:
        """Return what a copy has done that failed."""
        left_out = [each.digest for each in self.left_out]
        blobs = self.count("copied").count
        return outcome_of(self.tagged, blobs, is_atomic=self._is_atomic, left_out=left_out)

    def result(self, *, is_dry_run: bool) -> CopyResult:
        """Return the result."""
        return CopyResult(
            digests=FrozenDict(self.digests),
            mapping=FrozenDict(self.mapping),
            copied=self.count("copied"),
            skipped=self.count("skipped"),
            mounted=self.count("mounted"),
            manifests=self.count("manifests"),
            tagged=tuple(self.tagged),
            left_out=tuple(self.left_out),
            uncopied_referrers=tuple(self.uncopied_referrers.values()),
            not_replaced=tuple(self.not_replaced),
            is_dry_run=is_dry_run,
        )
