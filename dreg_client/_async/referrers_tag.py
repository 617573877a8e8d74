"""Change the referrers tag of a manifest, if the registry keeps no list ("Pushing Manifests with Subject")."""

import random
from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import Final

from dreg_client import errors
from dreg_client._async import changes
from dreg_client._async._compat import sleep
from dreg_client._async.client import AsyncClient
from dreg_client._async.manifests import missing_manifests
from dreg_client._logging import log
from dreg_client.models.descriptor import Descriptor
from dreg_client.protocol import manifests
from dreg_client.protocol.changes import check_absence
from dreg_client.protocol.content import RawManifest
from dreg_client.protocol.missing import may_be_for_missing, named_manifests
from dreg_client.protocol.referrers import MOST, fallback_tag, is_not_offered, referrer_pages
from dreg_client.protocol.referrers_tag import Addition, Change, Removal, index_in, without
from dreg_client.protocol.turns import Turn
from dreg_client.values.digest import Digest
from dreg_client.values.media_type import OCI_INDEX
from dreg_client.values.reference import RepositoryName

_ROUNDS: Final = 10
_WRITES: Final = 5
_UNKEPT: Final = 3
_REFUSALS: Final = 10
_READS: Final = 3
_RANDOM: Final = random.SystemRandom()


class AsyncReferrersTag:
    """The list of one manifest's referrers, under its referrers tag.

    Registries have no conditional PUT, so a process may overwrite the changes of another one. Within a process, changes
    are made one at a time. To detect other processes, the list is read again immediately and after one to two seconds,
    and changed again if the change was lost.

    Args:
        client: The client of the registry.
        repository: The repository.
        subject: The manifest that the referrers refer to; it need not exist.
    """

    def __init__(self, client: AsyncClient, repository: RepositoryName, subject: Digest) -> None:
        self._client, self._repository, self._subject = client, repository, subject
        self._tag = fallback_tag(subject)
        self._where = f"{client.registry.name}/{repository}:{self._tag}"

    async def add(self, entry: Descriptor) -> None:
        """Add the entry of a pushed manifest, unless it is already listed.

        Raises:
            ConflictError: The tag is not an OCI index, other processes keep overwriting it, or the registry confirms
                changes without storing them.
        """
        with self._as_outcome(entry):
            await self._change(Addition(entry))

    async def add_unchecked(self, entry: Descriptor) -> bool:
        """Add an entry like `add`, but without looking again after a while; return whether it was not listed yet."""
        with self._as_outcome(entry):
            return await self._write(Addition(entry))

    @contextmanager
    def _as_outcome(self, entry: Descriptor) -> Generator[None]:
        try:
            yield
        except errors.DregError as failure:
            outcome = f"{entry.digest} was pushed, but is not listed as a referrer of {self._subject}; push it again"
            failure.add_outcome(outcome)
            raise

    async def remove(self, deleted: RawManifest) -> None:
        """Remove the entries of a deleted manifest, if the registry keeps no list ("Deleting Manifests").

        Raises:
            ConflictError: Other processes keep overwriting the tag, or the registry confirms changes without storing
                them.
        """
        with self._as_outcome_of_deletion(deleted):
            if not await self._is_kept_by_registry():
                await self._change(Removal(deleted.raw))

    async def remove_unchecked(self, deleted: RawManifest) -> bool:
        """Remove entries like `remove`, but without looking again after a while; return whether any were listed."""
        with self._as_outcome_of_deletion(deleted):
            return not await self._is_kept_by_registry() and await self._write(Removal(deleted.raw))

    @contextmanager
    def _as_outcome_of_deletion(self, deleted: RawManifest) -> Generator[None]:
        try:
            yield
        except errors.DregError as failure:
            outcome = f"{deleted.digest} was deleted, but may still be listed as a referrer of {self._subject}"
            failure.add_outcome(outcome)
            raise

    async def _is_kept_by_registry(self) -> bool:
        request = referrer_pages(self._repository, self._subject).request
        assert request is not None  # noqa: S101 (there is a first page)
        try:
            response = await self._client.send(request)
        except (errors.AuthError, errors.RegistryError, errors.UnsafeURLError):
            return False
        # Some proxies respond to unknown paths with their own JSON.
        return response.status == 200 and not is_not_offered(response) and index_in(response.body) is not None

    async def _change(self, change: Change) -> None:
        for _ in range(_ROUNDS):
            if not await self._write(change):
                return
            await sleep(_RANDOM.uniform(1.0, 2.0))
        reason = f"{self._where}: other processes overwrote the list of referrers {_ROUNDS} times"
        raise errors.ConflictError(reason)

    async def _write(self, change: Change) -> bool:
        """Apply the change and read the list back, up to 5 times. Return whether anything was written."""
        with Turn((self._client.registry.url, self._repository, self._tag)) as before:
            await self._client.wait_for_turn(
                before, "another change of the list of referrers took too long", self._where
            )
            served: RawManifest | None = None
            is_confirmed, unkept = False, 0
            for number in range(_WRITES):
                replaced, served = served, await self._read()
                changed = change.of(served, self._where)
                if changed is None:
                    return number > 0
                unkept = unkept + 1 if is_confirmed and served == replaced else 0
                if unkept:
                    await self._wait_for_kept(unkept)
                is_confirmed = await self._put(change, changed, is_last=number == _WRITES - 1)
            return True

    async def _wait_for_kept(self, times: int) -> None:
        """Wait, because a registry may serve the old list for a while; raise ConflictError after several times."""
        if times == _UNKEPT:
            reason = f"the registry confirmed {times} changes of the list of referrers, but did not store them"
            raise errors.ConflictError(f"{self._where}: {reason}; check whether tags are immutable")
        await sleep(_RANDOM.uniform(1.0, 2.0))

    async def _read(self) -> RawManifest | None:
        """Read the list; None if there is no tag. Other errors are retried: distribution 2.8 fails during writes."""
        for _ in range(_READS - 1):
            with suppress(errors.RegistryError, errors.ProtocolError, errors.IntegrityError):
                return await self._read_once()
            await self._pause()
        return await self._read_once()

    async def _read_once(self) -> RawManifest | None:
        # From the registry itself, because a mirror may be outdated.
        request = manifests.manifest_request("GET", self._repository, self._tag, mirrored=False)
        response = await self._client.send(request)
        check_absence(response, request)
        if response.status == 404:
            return None
        return manifests.manifest_in(response, request, self._tag)

    async def _put(self, change: Change, raw: bytes, *, is_last: bool) -> bool:
        """Push the list. Return whether the registry confirmed it."""
        try:
            await self._put_without_missing(change, raw)
        except errors.ServerError:
            if is_last:
                raise
            await self._pause()
            return False
        return True

    async def _put_without_missing(self, change: Change, raw: bytes) -> None:
        """Push the list. If the registry rejects it because of deleted manifests, push it without their entries."""
        for _ in range(_REFUSALS):
            try:
                await changes.put_manifest(self._client, self._repository, self._tag, raw, OCI_INDEX)
            except errors.RegistryError as failure:
                if not may_be_for_missing(failure):
                    raise
                raw = await self._without_missing(change, raw, failure)
            else:
                return
        reason = f"{self._where}: other clients deleted referrers {_REFUSALS} times while the list was written"
        raise errors.ConflictError(reason)

    async def _without_missing(self, change: Change, raw: bytes, failure: errors.RegistryError) -> bytes:
        missing = await missing_manifests(self._client, self._repository, named_manifests(raw)[:MOST])
        kept = without(raw, missing)
        # If the addition's own manifest is missing, the list cannot be written.
        if not missing or change.of(RawManifest(kept, OCI_INDEX), self._where) is not None:
            raise failure
        log.warning("%s: removing entries that the registry no longer has: %s", self._where, ", ".join(missing))
        return kept

    async def _pause(self) -> None:
        await sleep(_RANDOM.uniform(0.1, 0.5))
