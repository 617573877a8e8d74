"""The errors for tags that must not be replaced or deleted, because they name another manifest than expected."""

from collections.abc import Mapping

from dreg_client import errors
from dreg_client.errors.stores import listed
from dreg_client.values.digest import Digest


def not_replaced(tag: str, now: Digest | str) -> errors.ConflictError:
    """Return the error for a tag that a caller does not want to be replaced."""
    what = f"the tag {tag} names another manifest, {now}"
    return errors.ConflictError(f"{what}; it was not replaced; to replace it, omit no_clobber=True")


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
