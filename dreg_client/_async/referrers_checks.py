"""Check changes of referrers tags together: each check has to wait for one to two seconds."""

import random
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from functools import partial
from typing import TYPE_CHECKING, Final

from dreg_client import errors
from dreg_client._async._compat import sleep
from dreg_client._logging import log

if TYPE_CHECKING:
    from dreg_client._async.referrers_tag import AsyncReferrersTag
    from dreg_client.models.descriptor import Descriptor
    from dreg_client.protocol.content import RawManifest

Unchecked = list[Callable[[], Awaitable[None]]]
"""Functions that check changes of referrers tags again, and repeat those that were lost."""
_unchecked: Final = ContextVar[Unchecked | None]("dreg-unchecked-referrers", default=None)
_RANDOM: Final = random.SystemRandom()


@asynccontextmanager
async def checked_together() -> AsyncGenerator[None]:
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
            await _check(changed)
        except errors.DregError as failure:
            log.warning("%s", failure)
        raise
    finally:
        # Not by a token, because the block may end in another context than it began.
        _unchecked.set(None)
    await _check(changed)


async def add_entry(tag: "AsyncReferrersTag", entry: "Descriptor") -> None:
    """Add an entry to a referrers tag; in a block of `checked_together`, check it again at the end of the block."""
    unchecked = _unchecked.get()
    if unchecked is None:
        await tag.add(entry)
    elif await tag.add_unchecked(entry):
        unchecked.append(partial(tag.add, entry))


async def remove_entry(tag: "AsyncReferrersTag", deleted: "RawManifest") -> None:
    """Remove the entries of a deleted manifest from a referrers tag; check it as `add_entry` does."""
    unchecked = _unchecked.get()
    if unchecked is None:
        await tag.remove(deleted)
    elif await tag.remove_unchecked(deleted):
        unchecked.append(partial(tag.remove, deleted))


async def _check(changed: Unchecked) -> None:
    """Check all changes; raise the first error at the end."""
    if changed:
        await sleep(_RANDOM.uniform(1.0, 2.0))
    failures: list[errors.DregError] = []
    for check in changed:
        try:
            await check()
        except errors.DregError as failure:
            failures.append(failure)
    for other in failures[1:]:
        log.warning("%s", other)
    if failures:
        raise failures[0]
