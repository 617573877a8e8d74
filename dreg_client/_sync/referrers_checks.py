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
_unchecked: Final = ContextVar[Unchecked | None]("dreg-unchecked-referrers", default=None)
_RANDOM: Final = random.SystemRandom()


@contextmanager
def checked_together() -> Generator[None]:
    """Check the entries that are added in this block at its end, even if it raises a `DregError`."""
    added: Unchecked = []
    token = _unchecked.set(added)
    try:
        yield
    except errors.DregError:
        try:
            _check(added)
        except errors.DregError as failure:
            log.warning("%s", failure)
        raise
    finally:
        _unchecked.reset(token)
    _check(added)


def add_entry(tag: "ReferrersTag", entry: "Descriptor") -> None:
    """Add an entry to a referrers tag; in a block of `checked_together`, check it again at the end of the block."""
    added = _unchecked.get()
    if added is None:
        tag.add(entry)
    elif tag.add_unchecked(entry):
        added.append((tag, entry))


def _check(added: Unchecked) -> None:
    if added:
        sleep(_RANDOM.uniform(1.0, 2.0))
    for tag, entry in added:
        tag.add(entry)
