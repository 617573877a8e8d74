"""Conditions of writing a tag: what it may name before."""

from collections.abc import Collection
from typing import NamedTuple

from dreg_client.values.digest import Digest


class TagCondition(NamedTuple):
    """What a tag may name for it to be written. A tag that already names the new manifest meets any condition.

    Attributes:
        no_clobber: Whether a tag of another manifest must not be replaced, unless it is `expected`.
        expected: The digest that the tag must name. With `no_clobber`, it may also be missing.
    """

    no_clobber: bool = False
    expected: Digest | None = None

    def unmet_by(self, found: Collection[Digest | str], new: Digest) -> str | None:
        """Return the digest that a tag names against the condition; empty if the tag is missing.

        None if it may be written. `found` has the digests that the tag names now, and `new` is the one to write.

        Examples:
            >>> old, new = Digest("sha256:" + 64 * "0"), Digest("sha256:" + 64 * "1")
            >>> (
            ...     TagCondition(no_clobber=True).unmet_by([old], new) == old,
            ...     TagCondition(no_clobber=True).unmet_by([], new),
            ... )
            (True, None)
            >>> [TagCondition(expected=old).unmet_by(found, new) for found in ([], [old], [new])]
            ['', None, None]
        """
        if not self.no_clobber and self.expected is None:
            return None
        if others := {*found} - {new, self.expected}:
            return str(min(others))
        return None if found or self.no_clobber else ""

    def is_done(self, found: Collection[Digest | str], new: Digest) -> bool:
        """Return whether nothing must be written, since a tag with an `expected` digest already names the new one.

        Examples:
            >>> old, new = Digest("sha256:" + 64 * "0"), Digest("sha256:" + 64 * "1")
            >>> TagCondition(expected=old).is_done([new], new), TagCondition(no_clobber=True).is_done([new], new)
            (True, False)
        """
        return self.expected is not None and {*found} == {new}
