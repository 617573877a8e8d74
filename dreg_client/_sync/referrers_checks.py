# Generated from dreg_client/_async/referrers_checks.py by tools/generate_sync.py. Do not edit.
"""Check changes of referrers tags together: each check has to wait for one to two seconds."""

import random
from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import TYPE_CHECKING, Final

from dreg_client import errors
from dreg_client._logging import log
from dreg_client._sync._compat import sleep

if TYPE_CHECKING:
    from dreg_client._sync.referrers_tag import ReferrersTag
    from dreg_client.models.descriptor import Descriptor
    from dreg_client.protocol.content import RawManifest

Unchecked = list[Callable[[], None]]
"""Functions that check changes of referrers tags again, and repeat those that were lost."""
_unchecked: Final = ContextVar[Unchecked | None]("dreg-unchecked-referrers", default=None)
_RANDOM: Final = random.SystemRandom()


@contextmanager
def checked_together() -> Generator[None]:
    """Check the entries that are added and removed in this block at its end, even if it raises a `DregError`.

    In a block that is in another one, they are checked at the end of the outer block.
    """
    if _unchecked.get() is not None:
        yield
        return
    changed: Unchecked = []
    _unchecked.set(changed)
    try:
        yield
    except errors.DregError:
        try:
            _check(changed)
        except errors.DregError as failure:
            log.warning("%s", failure)
        raise
    finally:
        # Not by a token, because the block may end in another context than it began.
        _unchecked.set(None)
    _check(changed)


def add_entry(tag: "ReferrersTag", entry: "Descriptor") -> None:
    """Add an entry to a referrers tag; in a block of `checked_together`, check it again at the end of the block."""
    unchecked = _unchecked.get()
    if unchecked is None:
        tag.add(entry)
    elif tag.add_unchecked(entry):
        unchecked.append(partial(tag.add, entry))


def remove_entry(tag: "ReferrersTag", deleted: "RawManifest") -> None:
    """Remove the entries of a deleted manifest from a referrers tag; check it as `add_entry` does."""
    unchecked = _unchecked.get()
    if unchecked is None:
        tag.remove(deleted)
    elif tag.remove_unchecked(deleted):
        unchecked.append(partial(tag.remove, deleted))


def _check(changed: Unchecked) -> None:
    """Check all changes; raise the first error at the end."""
    if changed:
        sleep(_RANDOM.uniform(1.0, 2.0))
    failures: list[errors.DregError] = []
    for check in changed:
        try:
            check()
        except errors.DregError as failure:
            failures.append(failure)
    for other in failures[1:]:
        log.warning("%s", other)
    if failures:
        raise failures[0]
