"""Delete a tag: at once, or by a placeholder (see `protocol.untag`)."""

from dataclasses import dataclass, replace
from typing import Final

from dreg_client import errors
from dreg_client._async import changes
from dreg_client._async._compat import run_shielded, sleep
from dreg_client._async.client import AsyncClient
from dreg_client._async.manifests import get_manifest, named
from dreg_client._logging import log
from dreg_client.protocol.content import RawManifest
from dreg_client.protocol.manifests import delete_request
from dreg_client.protocol.messages import Request, Response
from dreg_client.protocol.untag import (
    TagState,
    absent_digest,
    check_probe,
    is_unsupported,
    placeholder_of,
    without_placeholder,
)
from dreg_client.values.digest import Digest
from dreg_client.values.reference import RepositoryName, Tag

_LATE: Final = 1.0
"""Seconds within which a registry carries out what it accepted, or a request whose connection was closed."""


async def untag(client: AsyncClient, repository: RepositoryName, tag: Tag, *, placeholder: bool) -> None:
    """Delete a tag, and nothing else; with `placeholder`, also where the registry deletes by digest alone."""
    request = delete_request(repository, tag)
    response = await client.send(request)
    if not is_unsupported(response):
        await changes.confirm_deleted(client, repository, tag, request, response)
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
    probe = replace(delete_request(repository, absent_digest()), absent_is_done=False)
    response = await client.send(probe)
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
    stored: str = ""  # the digest of what the registry stored in place of the placeholder
    state: TagState = TagState.UNKNOWN  # after a failure
    found: Digest | None = None  # what the tag named then
    unrestored: str = ""  # why the original could not be put back

    async def run(self) -> None:
        """Delete the tag.

        Raises:
            ConflictError: Another client changed the tag.
            ProtocolError: The registry accepted the deletion of the placeholder, but did not carry it out.
            DregError: A request failed. The error says what the tag names now.
        """
        self._check_unchanged(await self._named())
        try:
            digest, _ = await self._put(self.placeholder)
            self.is_written = True
            where = (await changes.delete_manifest(self.client, self.repository, digest)).where
            await self._check_gone(where)
        except errors.DregError as failure:
            self._note_stored(failure)
            await self._restore(may_come_late=isinstance(failure, errors.TransportError | errors.ServerError))
            if self.state is not TagState.GONE:
                told = await self._explained(failure)
                told.add_outcome(self._outcome)
                if told is failure:
                    raise
                raise told from failure
        except BaseException as interrupt:
            await self._restore(may_come_late=True)
            self._tell(interrupt)
            raise

    async def _check_gone(self, where: str) -> None:
        """Check that the tag is gone: 202 means that a deletion was accepted, and it may come late or never."""
        found = await self._named()
        if found is not None:
            await sleep(_LATE)
            found = await self._named()
        if found is None:
            return
        if _is_of(found, self.placeholder):
            reason = f"the registry accepted the deletion of {found}, but has not carried it out"
            raise errors.ProtocolError(reason, where)
        raise errors.ConflictError(f"{self._name} has another manifest after its placeholder was deleted")

    def _note_stored(self, failure: errors.DregError) -> None:
        """Remember what the registry has in place of the placeholder, if it changes what it stores."""
        if isinstance(failure, errors.DigestMismatchError) and not self.is_written:
            self.stored = failure.actual
            failure.add_outcome("this registry changes what it stores, so that no placeholder can be used")

    async def _explained(self, failure: errors.DregError) -> errors.DregError:
        """Return the error of a tag that was not deleted."""
        if self.is_written or not isinstance(failure, errors.RegistryError):
            return failure
        cannot = f"cannot delete the tag {self._name} alone, and nothing was changed"
        return await changes.explained(self.client, self.repository, self.original, failure, cannot)

    def _check_unchanged(self, found: Digest | None) -> None:
        if found is not None and _is_of(found, self.original):
            return
        now = f"names {found}" if found else "is gone"
        reason = f"another client changed {self._name}: it {now}, and named {self.original.digest} before"
        raise errors.ConflictError(f"{reason}; nothing was changed here, try again")

    async def _restore(self, *, may_come_late: bool) -> None:
        """Put the original back if the tag has the placeholder, and learn the state. Only an interrupt is raised."""
        try:
            await run_shielded(self._put_back, _LATE if may_come_late and not self.is_written else 0.0)
        except Exception as failure:  # noqa: BLE001 (what failed first is raised, and says that this failed, too)
            self.unrestored = str(failure)
        except BaseException as interrupt:
            self._tell(interrupt)
            raise

    async def _put_back(self, patience: float) -> None:
        self.state = TagState.UNKNOWN  # until the end, whatever is raised
        self.found = await self._named()
        if patience and self._has(self.original):
            await sleep(patience)  # the registry may still write a placeholder whose response was lost
            self.found = await self._named()
        if self.found is None:
            self.state = TagState.GONE
        elif self._has(self.original):
            self.state = TagState.KEPT
        elif self._has(self.placeholder) or self.found == self.stored:
            await self._put_original()
            self.state = TagState.RESTORED
        else:
            self.state = TagState.CHANGED

    async def _put_original(self) -> None:
        try:
            await self._put(self.original)
        except errors.DigestMismatchError:  # a registry may state a wrong digest, and store the right bytes
            self.found = await self._named()
            if not self._has(self.original):
                raise

    def _has(self, manifest: RawManifest) -> bool:
        return self.found is not None and _is_of(self.found, manifest)

    def _tell(self, interrupt: BaseException) -> None:
        interrupt.add_note(self._outcome)
        log.warning("untag was interrupted: %s", self._outcome)

    @property
    def _outcome(self) -> str:
        """What the tag names now, and what to do."""
        before = self.original.digest
        restore = f"dreg tag {self.client.registry.name}/{self.repository}@{before} {self.tag}"
        match self.state:
            case TagState.GONE:
                return f"{self._name} is deleted, and named {before} before"
            case TagState.KEPT:
                return f"{self._name} still names {before}"
            case TagState.RESTORED:
                return f"{self._name} names {before} again"
            case TagState.CHANGED:
                cause = "another client changed it, or the registry changes what it stores"
                now = f"{self._name} names {self.found} now, which is neither the original nor the placeholder"
                return f"{now}: {cause}; to restore the original: {restore}"
            case TagState.UNKNOWN:
                why = f", since it cannot be restored ({self.unrestored})" if self.unrestored else ""
                return f"{self._name} may name a placeholder now{why}; restore it: {restore}"

    async def _named(self) -> Digest | None:
        return await named(self.client, self.repository, self.tag)

    async def _put(self, manifest: RawManifest) -> tuple[Digest, Response]:
        media_type = self.placeholder.media_type  # the original's, also if the registry does not state it
        return await changes.put_manifest(self.client, self.repository, self.tag, manifest.raw, media_type)

    @property
    def _name(self) -> str:
        return f"{self.repository}:{self.tag}"


def _is_of(digest: Digest, manifest: RawManifest) -> bool:
    """Return whether a digest, in whichever algorithm, is that of a manifest."""
    return digest.computable and digest == Digest.of(manifest.raw, digest.algorithm)
