"""The result of `sync`."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from dreg_client.copying.result import Transferred
from dreg_client.errors import DregError
from dreg_client.models.descriptor import Descriptor
from dreg_client.models.frozen import FrozenDict
from dreg_client.values.digest import Digest


@dataclass(frozen=True, slots=True)
class RepositorySync:
    """What `sync` did for one repository.

    Attributes:
        source: The repository, layout or archive that was read.
        destination: The repository or layout that was written.
        copied: The tags that were written, with the digests that they have now.
        skipped: The number of tags that the destination already had.
        removed: The tags that were removed.
        failed: The tags that were not copied or not removed, and why. A referrer that could not be copied is named by
            its digest.
        failure: Why the whole repository could not be compared or copied; None if it could.
        not_pruned: Why no tag was removed although `prune` was requested; empty otherwise.
        uncopied_referrers: With `referrers`, the signatures and other referrers that were not copied, because they
            refer to indexes of which only some `platforms` were copied; also those at digest tags.
        blobs: The blobs that were transferred.
        mounted: The blobs that the registry took over from another of its repositories.
        manifests: The manifests and indexes that were written.
    """

    source: str
    destination: str
    copied: Mapping[str, Digest] = field(default_factory=FrozenDict[str, Digest])
    skipped: int = 0
    removed: tuple[str, ...] = ()
    failed: Mapping[str, DregError] = field(default_factory=FrozenDict[str, DregError])
    failure: DregError | None = None
    not_pruned: str = ""
    uncopied_referrers: tuple[Descriptor, ...] = ()
    blobs: Transferred = field(default_factory=Transferred)
    mounted: Transferred = field(default_factory=Transferred)
    manifests: Transferred = field(default_factory=Transferred)

    @property
    def failures(self) -> Mapping[str | None, DregError]:
        """What failed, and why, by tag; by None if it is the whole repository."""
        found: dict[str | None, DregError] = {} if self.failure is None else {None: self.failure}
        return found | dict(self.failed)


@dataclass(frozen=True, slots=True)
class SyncResult:
    """What `sync` did.

    Attributes:
        repositories: What was done for each repository.
    """

    repositories: tuple[RepositorySync, ...] = ()

    @property
    def copied(self) -> int:
        """The number of tags that were written."""
        return sum(len(each.copied) for each in self.repositories)

    @property
    def skipped(self) -> int:
        """The number of tags that the destination already had."""
        return sum(each.skipped for each in self.repositories)

    @property
    def removed(self) -> int:
        """The number of tags that were removed."""
        return sum(len(each.removed) for each in self.repositories)

    @property
    def failures(self) -> Mapping[str, DregError]:
        """What failed, and why, by its name in the source: `REPOSITORY:TAG`, or `REPOSITORY` for a whole repository."""
        return {
            name_in(each.source, tag): failure for each in self.repositories for tag, failure in each.failures.items()
        }

    @property
    def size(self) -> int:
        """The total size of the blobs that were transferred, in bytes."""
        return sum(each.blobs.size for each in self.repositories)


def name_in(repository: str, tag: str | None) -> str:
    """Return the name of a tag or digest in a repository; that of the repository if there is none.

    Examples:
        >>> name_in("oci:web", "1.4"), name_in("oci:web", None)
        ('oci:web:1.4', 'oci:web')
    """
    if tag is None:
        return repository
    return f"{repository}{'@' if tag.startswith(('sha256:', 'sha512:')) else ':'}{tag}"
