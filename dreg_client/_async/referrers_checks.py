"""Check changes of referrers tags together: each check has to wait for one to two seconds."""

import random
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Final

from dreg_client import errors
from dreg_client._async._compat import sleep
from dreg_client._logging import log

if TYPE_CHECKING:
    from dreg_client._async.referrers_tag import AsyncReferrersTag
    from dreg_client.models.descriptor import Descriptor

Unchecked = list[tuple["AsyncReferrersTag", "Descriptor"]]
"""Referrers tags, and entries that were added to them but not checked again."""
_unchecked: Final = ContextVar[tuple[Unchecked, ...]]("dreg-unchecked-referrers", default=())
_RANDOM: Final = random.SystemRandom()


@asynccontextmanager
async def checked_together() -> AsyncGenerator[None]:
    """Check the entries that are added in this block at its end, even if it raises a `DregError`."""
    added: Unchecked = []
    _unchecked.set((*_unchecked.get(), added))
    try:
        yield
    except errors.DregError:
        try:
            await _check(added)
        except errors.DregError as failure:
            log.warning("%s", failure)
        raise
    finally:
        # Not by a token, because the block may end in another context than it began.
        _unchecked.set(tuple(it for it in _unchecked.get() if it is not added))
    await _check(added)


async def add_entry(tag: "AsyncReferrersTag", entry: "Descriptor") -> None:
    """Add an entry to a referrers tag; in a block of `checked_together`, check it again at the end of the block."""
    blocks = _unchecked.get()
    if not blocks:
        await tag.add(entry)
    elif await tag.add_unchecked(entry):
        blocks[-1].append((tag, entry))


async def _check(added: Unchecked) -> None:
    """Check all entries; raise the first error at the end."""
    if added:
        await sleep(_RANDOM.uniform(1.0, 2.0))
    failures: list[errors.DregError] = []
    for tag, entry in added:
        try:
            await tag.add(entry)
        except errors.DregError as failure:
            failures.append(failure)
    for other in failures[1:]:
        log.warning("%s", other)
    if failures:
        raise failures[0]
