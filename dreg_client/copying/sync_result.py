"""The result of `sync`."""

from collections import Counter
from collections.abc import Mapping, Sequence
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
        """What failed, and why, by its name in the source: `REPOSITORY:TAG`, or `REPOSITORY` for a whole repository.

        If the same name failed for several destinations, they follow it: `REPOSITORY:TAG to DESTINATION`.
        """
        failed = [(each, tag, failure) for each in self.repositories for tag, failure in each.failures.items()]
        names = distinct_names([(each.source, each.destination, tag) for each, tag, _ in failed])
        return dict(zip(names, (failure for _, _, failure in failed), strict=True))

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


def distinct_names(failed: Sequence[tuple[str, str, str | None]]) -> list[str]:
    """Return a name of its own for everything that failed, of which source, destination and tag are given.

    Examples:
        >>> distinct_names([("oci:web", "oci:a", "1"), ("oci:web", "oci:b", "1"), ("oci:web", "oci:a", None)])
        ['oci:web:1 to oci:a', 'oci:web:1 to oci:b', 'oci:web']
    """
    sources = [name_in(source, tag) for source, _, tag in failed]
    in_all, seen = Counter(sources), Counter[str]()
    names: list[str] = []
    for name, (_, destination, _) in zip(sources, failed, strict=True):
        full = f"{name} to {destination}" if in_all[name] > 1 else name
        seen[full] += 1
        names.append(f"{full} ({seen[full]})" if seen[full] > 1 else full)
    return names
