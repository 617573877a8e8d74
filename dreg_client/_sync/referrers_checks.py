# Generated from dreg_client/_async/referrers_checks.py by tools/generate_sync.py. Do not edit.
"""Check changes of referrers tags together: each check has to wait for one to two seconds."""

import random
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Final

from dreg_client import errors
from dreg_client._logging import log
from dreg_client._sync._compat import sleep

if TYPE_CHECKING:
    from dreg_client._sync.referrers_tag import ReferrersTag
    from dreg_client.models.descriptor import Descriptor

Unchecked = list[tuple["ReferrersTag", "Descriptor"]]
"""Referrers tags, and entries that were added to them but not checked again."""
_unchecked: Final = ContextVar[tuple[Unchecked, ...]]("dreg-unchecked-referrers", default=())
_RANDOM: Final = random.SystemRandom()


@contextmanager
def checked_together() -> Generator[None]:
    """Check the entries that are added in this block at its end, even if it raises a `DregError`."""
    added: Unchecked = []
    _unchecked.set((*_unchecked.get(), added))
    try:
        yield
    except errors.DregError:
        try:
            _check(added)
        except errors.DregError as failure:
            log.warning("%s", failure)
        raise
    finally:
        # Not by a token, because the block may end in another context than it began.
        _unchecked.set(tuple(it for it in _unchecked.get() if it is not added))
    _check(added)


def add_entry(tag: "ReferrersTag", entry: "Descriptor") -> None:
    """Add an entry to a referrers tag; in a block of `checked_together`, check it again at the end of the block."""
    blocks = _unchecked.get()
    if not blocks:
        tag.add(entry)
    elif tag.add_unchecked(entry):
        blocks[-1].append((tag, entry))


def _check(added: Unchecked) -> None:
    """Check all entries; raise the first error at the end."""
    if added:
        sleep(_RANDOM.uniform(1.0, 2.0))
    failures: list[errors.DregError] = []
    for tag, entry in added:
        try:
            tag.add(entry)
        except errors.DregError as failure:
            failures.append(failure)
    for other in failures[1:]:
        log.warning("%s", other)
    if failures:
        raise failures[0]
