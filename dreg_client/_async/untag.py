"""Delete a tag: at once, or by a placeholder (see `protocol.untag`)."""

from dataclasses import dataclass
from typing import Final

from dreg_client import errors
from dreg_client._async import changes
from dreg_client._async._compat import run_shielded, sleep
from dreg_client._async.client import AsyncClient
from dreg_client._async.manifests import get_manifest, resolve_manifest
from dreg_client._logging import log
from dreg_client.protocol.content import RawManifest
from dreg_client.protocol.manifests import delete_request
from dreg_client.protocol.messages import Request, Response
from dreg_client.protocol.untag import (
    absent_digest,
    check_probe,
    is_unsupported,
    placeholder_of,
    with_outcome,
    without_placeholder,
)
from dreg_client.values.digest import Digest
from dreg_client.values.reference import RepositoryName, Tag

_LATE: Final = 1.0
"""Seconds within which a registry handles a request whose connection was closed before the response."""


async def untag(client: AsyncClient, repository: RepositoryName, tag: Tag, *, placeholder: bool) -> None:
    """Delete a tag, and nothing else; with `placeholder`, also where the registry deletes by digest alone."""
    request = delete_request(repository, tag)
    response = await client.send(request)
    if not is_unsupported(response):
        await changes.check_deleted(client, repository, tag, request, response)
        return
    if not placeholder:
        raise without_placeholder(response, request)
    # Mirrors may be behind, and the manifest is to be put back as the registry has it.
    original = await get_manifest(client, repository, tag, legacy=True, mirrored=False)
    replacement = placeholder_of(original, request)
    await _probe(client, repository, request)
    await _Untagging(client, repository, tag, original, replacement).run()


async def _probe(client: AsyncClient, repository: RepositoryName, request: Request) -> None:
    """Find out, without any change, whether the registry deletes manifests by their digest."""
    probe = delete_request(repository, absent_digest())
    response = await client.send(probe)
    if response.status == 202:  # also if a first response was lost: `Client.send` then takes 404 for success
        response = await client.send(probe := delete_request(repository, absent_digest()))
    check_probe(response, request, probe)


@dataclass(slots=True)
class _Untagging:
    """A tag that is moved to a placeholder, which is then deleted; or moved back."""

    client: AsyncClient
    repository: RepositoryName
    tag: Tag
    original: RawManifest
    placeholder: RawManifest
    is_written: bool = False  # whether the registry has confirmed the placeholder
    outcome: str = ""  # what the tag names after a failure; empty if it is gone

    async def run(self) -> None:
        """Delete the tag.

        Raises:
            ConflictError: Another client changed the tag. Nothing was changed here.
            DregError: A request failed. The error says what the tag names now.
        """
        self._check_unchanged(await self._named())
        try:
            digest, _ = await self._put(self.placeholder)
            self.is_written = True
            await changes.delete_manifest(self.client, self.repository, digest)
        except errors.DregError as failure:
            await self._restore(may_come_late=isinstance(failure, errors.TransportError | errors.ServerError))
            if self.outcome:
                raise await self._explained(failure) from failure
        except BaseException as interrupt:
            await self._restore(may_come_late=True)
            interrupt.add_note(self._told)
            log.warning("untag was interrupted: %s", self._told)
            raise

    async def _explained(self, failure: errors.DregError) -> errors.DregError:
        """Return the error of a tag that was not deleted."""
        told = failure
        if isinstance(failure, errors.RegistryError) and not self.is_written:
            cannot = f"cannot delete the tag {self._name} alone, and nothing was changed"
            told = await changes.explained(self.client, self.repository, self.original, failure, cannot)
        return with_outcome(told, self.outcome)

    def _check_unchanged(self, found: Digest | None) -> None:
        if found is not None and _is_of(found, self.original):
            return
        now = f"names {found}" if found else "is gone"
        reason = f"another client changed {self._name}: it {now}, and named {self.original.digest} before"
        raise errors.ConflictError(f"{reason}; nothing was changed here, try again")

    async def _restore(self, *, may_come_late: bool) -> None:
        """Put the original back, whatever interrupts it, if the tag has the placeholder."""
        try:
            await run_shielded(self._put_back, _LATE if may_come_late and not self.is_written else 0.0)
        except BaseException:
            log.warning("untag was interrupted: %s", self._told)
            raise

    async def _put_back(self, patience: float) -> None:
        before = self.original.digest
        try:
            found = await self._named()
            if patience and found is not None and _is_of(found, self.original):
                await sleep(patience)  # the registry may still write a placeholder whose response was lost
                found = await self._named()
            if found is None:
                self.outcome = ""
            elif _is_of(found, self.original):
                self.outcome = f"{self._name} still names {before}"
            elif _is_of(found, self.placeholder):
                await self._put(self.original)
                self.outcome = f"{self._name} names {before} again"
            else:
                self.outcome = f"another client changed {self._name}: it names {found}, and named {before} before"
        except errors.DregError as failure:
            manifest = f"{self.client.registry.name}/{self.repository}@{before}"
            reason = f"{self._name} may name a placeholder now, since it cannot be restored ({failure})"
            self.outcome = f"{reason}; restore it: dreg tag {manifest} {self.tag}"

    async def _named(self) -> Digest | None:
        """Return the digest that the tag names now; None if there is no such tag."""
        try:
            return (await resolve_manifest(self.client, self.repository, self.tag, mirrored=False)).digest
        except errors.NotFoundError:
            return None

    async def _put(self, manifest: RawManifest) -> tuple[Digest, Response]:
        media_type = self.placeholder.media_type  # the original's, also if the registry does not state it
        return await changes.put_manifest(self.client, self.repository, self.tag, manifest.raw, media_type)

    @property
    def _told(self) -> str:
        return self.outcome or f"{self._name} is deleted, and named {self.original.digest} before"

    @property
    def _name(self) -> str:
        return f"{self.repository}:{self.tag}"


def _is_of(digest: Digest, manifest: RawManifest) -> bool:
    """Return whether a digest, in whichever algorithm, is that of a manifest."""
    return digest.computable and digest == Digest.of(manifest.raw, digest.algorithm)
