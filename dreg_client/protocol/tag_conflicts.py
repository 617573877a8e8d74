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
        dreg_client.errors.stores.ConflictError: the tag 1.4 was deleted by another client; it was not written
    """
    if unmet is None:
        return
    if condition.expected is None:
        raise not_replaced(tag, unmet)
    what = f"was changed by another client, and names {unmet} now" if unmet else "was deleted by another client"
    raise errors.ConflictError(f"the tag {tag} {what}; it was not written")


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


def not_deleted(tag: str, now: Digest | str) -> errors.ConflictError:
    """Return the error for a tag that was to be deleted only if it names the expected manifest."""
    what = f"the tag {tag} was changed by another client, and names {now} now"
    return errors.ConflictError(f"{what}; it was not deleted")
