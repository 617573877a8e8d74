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
_unchecked: Final = ContextVar[Unchecked | None]("dreg-unchecked-referrers", default=None)
_RANDOM: Final = random.SystemRandom()


@asynccontextmanager
async def checked_together() -> AsyncGenerator[None]:
    """Check the entries that are added in this block at its end, even if it raises a `DregError`."""
    added: Unchecked = []
    token = _unchecked.set(added)
    try:
        yield
    except errors.DregError:
        try:
            await _check(added)
        except errors.DregError as failure:
            log.warning("%s", failure)
        raise
    finally:
        _unchecked.reset(token)
    await _check(added)


async def add_entry(tag: "AsyncReferrersTag", entry: "Descriptor") -> None:
    """Add an entry to a referrers tag; in a block of `checked_together`, check it again at the end of the block."""
    added = _unchecked.get()
    if added is None:
        await tag.add(entry)
    elif await tag.add_unchecked(entry):
        added.append((tag, entry))


async def _check(added: Unchecked) -> None:
    if added:
        await sleep(_RANDOM.uniform(1.0, 2.0))
    for tag, entry in added:
        await tag.add(entry)
