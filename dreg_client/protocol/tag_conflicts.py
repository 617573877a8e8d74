"""The errors for tags that must not be written or deleted, because they name another manifest than expected."""

from collections.abc import Mapping

from dreg_client import errors
from dreg_client.errors.stores import listed
from dreg_client.values.digest import Digest
from dreg_client.values.tag_condition import TagCondition


def not_replaced(tag: str, now: Digest | str) -> errors.ConflictError:
    """Return the error for a tag that a caller does not want to be replaced."""
    what = f"the tag {tag} names another manifest, {now}"
    return errors.ConflictError(f"{what}; it was not replaced; to replace it, omit no_clobber=True")


def check_condition(condition: TagCondition, tag: str, unmet: str | None) -> None:
    """Raise ConflictError if a tag does not meet a condition. `unmet` is the result of `TagCondition.unmet_by`.

    Examples:
        >>> check_condition(TagCondition(expected=Digest("sha256:" + 64 * "0")), "1.4", "")
        Traceback (most recent call last):
        dreg_client.errors.stores.ConflictError: the tag 1.4 does not exist now, and was expected to name sha256:00...
    """
    if unmet is None:
        return
    if condition.expected is None:
        raise not_replaced(tag, unmet)
    if condition.no_clobber:
        raise errors.ConflictError(
            f"the tag {tag} names {unmet} now, and was expected not to exist; it was not changed"
        )
    raise not_as_expected(tag, unmet, condition.expected)


def check_replaced(kept: Mapping[str, str]) -> None:
    """Raise ConflictError if tags were not replaced. `kept` has the digests of the manifests that they name.

    Examples:
        >>> check_replaced({"1.4": "sha256:1", "1.5": "sha256:2"})
        Traceback (most recent call last):
        dreg_client.errors.stores.ConflictError: these tags name other manifests: 1.4 (sha256:1), 1.5 ...
    """
    if len(kept) > 1:
        what = f"these tags name other manifests: {listed([f'{tag} ({digest})' for tag, digest in kept.items()])}"
        raise errors.ConflictError(f"{what}; they were not replaced; to replace them, omit no_clobber=True")
    for tag, digest in kept.items():
        raise not_replaced(tag, digest)


def not_as_expected(tag: str, now: Digest | str, expected: Digest) -> errors.ConflictError:
    """Return the error for a tag that was to be changed only if it names the expected manifest.

    `now` is the digest that it names; empty if there is no such tag. It is not said who changed it: perhaps the same
    program did.

    Examples:
        >>> print(not_as_expected("1.4", "sha256:1", Digest("sha256:" + 64 * "0")))
        the tag 1.4 names sha256:1 now, and not sha256:000... as expected; it was not changed
    """
    found = (
        f"names {now} now, and not {expected} as expected"
        if now
        else f"does not exist now, and was expected to name {expected}"
    )
    return errors.ConflictError(f"the tag {tag} {found}; it was not changed")
