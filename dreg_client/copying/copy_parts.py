"""What belongs to the manifests of a copy, so that a failure of a part is a failure of everything it belongs to."""

from collections.abc import Iterable

from dreg_client import errors
from dreg_client.values.digest import Digest


class CopyParts:
    """The parts of manifests: the manifests in an index, the referrers of a manifest, and the digest tags about it."""

    def __init__(self) -> None:
        self._parts: dict[str, tuple[str, ...]] = {}
        self._failures: dict[str, errors.DregError] = {}

    def add(self, name: str, parts: Iterable[str]) -> None:
        """Add the digests and digest tags that belong to a manifest, which is given by its digest or digest tag."""
        if found := tuple(dict.fromkeys(parts)):
            self._parts[name] = found

    def fail(self, failures: Iterable[tuple[str, errors.DregError]]) -> None:
        """Add what was not copied, by digest or digest tag, and why."""
        self._failures.update(failures)

    def failure_of(self, digest: Digest) -> errors.DregError | None:
        """Return why a manifest, or anything that belongs to it, was not copied; None if all of it was.

        Examples:
            >>> index, image, signature = map(Digest.of, (b"index", b"image", b"signature"))
            >>> parts = CopyParts()
            >>> parts.add(index, [image])
            >>> parts.add(image, [signature])
            >>> parts.fail([(signature, errors.DregError("there is no such blob"))])
            >>> parts.failure_of(index)
            DregError('there is no such blob')
            >>> parts.failed_in(index) == {signature}
            True
        """
        failed = self.failed_in(digest)
        return next((failure for name, failure in self._failures.items() if name in failed), None)

    def failed_in(self, digest: Digest) -> set[str]:
        """Return what was not copied of a manifest: digests and digest tags."""
        if not self._failures:
            return set()
        seen, ahead = set[str](), list[str]([digest])
        while ahead:
            if (each := ahead.pop()) not in seen:
                seen.add(each)
                ahead += self._parts.get(each, ())
        return seen.intersection(self._failures)
