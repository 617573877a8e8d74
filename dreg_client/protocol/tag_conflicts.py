"""The errors for tags that must not be replaced or deleted, because they name another manifest than expected."""

from dreg_client import errors
from dreg_client.values.digest import Digest


def not_replaced(tag: str, now: Digest | str) -> errors.ConflictError:
    """Return the error for a tag that a caller does not want to be replaced."""
    what = f"the tag {tag} names another manifest, {now}"
    return errors.ConflictError(f"{what}; it was not replaced; to replace it, omit no_clobber=True")


def not_deleted(tag: str, now: Digest | str) -> errors.ConflictError:
    """Return the error for a tag that was to be deleted only if it names the expected manifest."""
    what = f"the tag {tag} was changed by another client, and names {now} now"
    return errors.ConflictError(f"{what}; it was not deleted")
