"""A repository of a registry as a destination (distribution-spec "Push", "Content Management")."""

from collections.abc import AsyncGenerator, Collection, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from dreg_client import errors
from dreg_client._async import changes
from dreg_client._async.in_order import in_order
from dreg_client._async.manifests import named, named_before_change, resolve_manifest
from dreg_client._async.ports import AsyncContent, AsyncDestination, OnTags
from dreg_client._async.referrers_checks import add_entry, checked_together, remove_entry
from dreg_client._async.registry_source import AsyncRegistrySource
from dreg_client._async.untag import is_unfinished, untag
from dreg_client._logging import log
from dreg_client.models.descriptor import Descriptor
from dreg_client.models.parse import parse_manifest
from dreg_client.protocol.content import RawManifest
from dreg_client.protocol.manifests import manifest_head, manifest_request, name_of, own_media_type
from dreg_client.protocol.referrers import lists_referrers, referrer, subject_in
from dreg_client.protocol.tag_conflicts import check_condition, not_as_expected
from dreg_client.protocol.untag import tag_to_delete
from dreg_client.values.digest import Digest
from dreg_client.values.reference import RepositoryName
from dreg_client.values.tag_condition import TagCondition

if TYPE_CHECKING:  # few programs write
    from dreg_client._async.referrers_tag import AsyncReferrersTag
    from dreg_client._async.uploads import AsyncBlobUploads


class AsyncRegistryDestination(AsyncRegistrySource):
    """A repository of a registry (an `AsyncDestination`)."""

    has_closures = True
    lists_written = is_atomic = False

    @property
    def writable(self) -> AsyncDestination | None:
        """This object."""
        return self

    @asynccontextmanager
    async def writing(self, *, on_deferred: OnTags | None = None) -> AsyncGenerator[None]:  # noqa: ARG002 (port)
        """Check changes of referrers tags at the end, all together.

        Blobs need nothing: a registry keeps for a while what no manifest names yet.
        """
        async with checked_together():
            yield

    async def current_digest(self, reference: str, *, surely: bool = False) -> Digest | None:
        """Return the digest of the manifest at a tag or digest, by HEAD to the registry itself; None for a 404.

        With `surely`, GET follows, because 404 for a HEAD proves nothing (DLD-21) until HEAD has described a manifest.
        """
        name = name_of(reference)
        if surely or not self._client.head_describes:
            return await named_before_change(self._client, self._name, name)
        request = manifest_request("HEAD", self._name, name, mirrored=False)
        response = await self._client.send(request)
        if response.status == 404:
            return None
        head = manifest_head(response, request, name)
        return head.digest if head else await named(self._client, self._name, name)

    async def current_tags(self) -> Mapping[str, Descriptor]:
        """Return all tags with what they name, by HEAD to the registry itself."""
        tags = await self.tags()
        found = await in_order(self._current, tags, at_a_time=min(self._client.connections, 8))
        return {tag: descriptor for tag, descriptor in zip(tags, found, strict=True) if descriptor is not None}

    async def _current(self, tag: str) -> Descriptor | None:
        try:
            found = await resolve_manifest(self._client, self._name, name_of(tag), mirrored=False, proves=True)
        except errors.NotFoundError:
            return None
        return found.descriptor

    async def push_blob(self, content: AsyncContent) -> Descriptor:
        """Upload a blob, unless it exists; return its descriptor."""
        return await self.uploads().push(content)

    async def mount_blob(self, digest: Digest, repository: str) -> bool:
        """Mount a blob of another repository; return whether the registry has done so."""
        return await self.uploads().mount(digest, RepositoryName(repository))

    def uploads(self) -> "AsyncBlobUploads":
        """Return the uploads to this repository."""
        from dreg_client._async.uploads import AsyncBlobUploads  # noqa: PLC0415 (few programs write)

        return AsyncBlobUploads(self._client, self._name)

    async def push_manifest(
        self, manifest: RawManifest, reference: str, *, no_clobber: bool = False, expected: Digest | None = None
    ) -> bool:
        """Write a manifest. Where the registry keeps no list of referrers, list it under the tag of its subject."""
        name, raw = name_of(reference), manifest.raw
        if isinstance(name, Digest) and name != (actual := Digest.of(raw, name.algorithm)):
            raise errors.DigestMismatchError(name, actual, "the manifest to push")
        condition = TagCondition(no_clobber, expected)
        if not isinstance(name, Digest) and await self._is_done(condition, reference, manifest):
            return False
        media_type = manifest.media_type or own_media_type(raw)
        digest, response = await changes.put_manifest(self._client, self._name, name, raw, media_type)
        if digest.algorithm != manifest.digest.algorithm:
            where = f"{self.address}, tag {name}, as stored by the registry"
            raise errors.DigestMismatchError(manifest.digest, digest, where, as_stored=True)
        subject = subject_in(raw)
        if subject is not None and not lists_referrers(response, subject):
            written = Descriptor(mediaType=media_type, digest=digest, size=len(raw))
            parsed = parse_manifest(raw, media_type, strict=False)
            await add_entry(self.referrers_tag(subject), referrer(written, parsed))
        return True

    async def _is_done(self, condition: TagCondition, tag: str, manifest: RawManifest) -> bool:
        """Return whether a tag need not be written (see the port); raise ConflictError if it must not be."""
        if condition == TagCondition():
            return False
        new = manifest.digest
        now = await named_before_change(self._client, self._name, name_of(tag), new)
        found = [] if now is None else [now]
        unmet, expected = condition.unmet_by(found, new), condition.expected
        if unmet and now and expected and await is_unfinished(self._client, self._name, now, expected, manifest):
            return False
        check_condition(condition, tag, unmet)
        return condition.is_done(found, new)

    async def delete_tag(self, tag: str, *, expected: Digest | None = None, known: RawManifest | None = None) -> None:
        """Delete a tag. The manifest and its other tags stay."""
        if expected is not None:
            await self._check_to_delete(tag, expected, known)
        name = tag_to_delete(tag)
        await untag(self._client, self._name, name, placeholder=True, expected=expected, known=known)

    async def _check_to_delete(self, tag: str, expected: Digest, known: RawManifest | None) -> None:
        """Raise ConflictError if a tag names neither the expected manifest, nor its placeholder, nor nothing."""
        now = await self.current_digest(tag, surely=True)
        if now is None or now == expected:
            return
        if not await is_unfinished(self._client, self._name, now, expected, known):
            raise not_as_expected(tag, str(now), expected)

    async def delete_manifest(
        self,
        digest: Digest,
        *,
        tags: Collection[str] | None = None,  # noqa: ARG002 (port)
        known: RawManifest | None = None,
    ) -> None:
        """Delete a manifest and all its tags, and its entry under the referrers tag of its subject."""
        found = known or await self._read_to_delete(digest)
        async with changes.deleting_alone(self._client, self._name):
            await changes.delete_manifest(self._client, self._name, digest)
        if isinstance(found, errors.DregError):
            log.warning("%s was deleted without being read, so a referrers tag may still list it: %s", digest, found)
        elif found is not None and (subject := subject_in(found.raw)) is not None:
            await remove_entry(self.referrers_tag(subject), found)

    async def _read_to_delete(self, name: Digest) -> RawManifest | errors.DregError | None:
        """Return a manifest to be deleted, or why it cannot be read; None if it does not exist or cannot be checked."""
        if not name.computable:
            return None
        try:
            return await self.fetch_manifest(name, legacy=True)
        except errors.NotFoundError:
            return None
        except (errors.TransportError, errors.RateLimitedError, errors.ServerError):
            raise  # reading may succeed later, but not after the deletion
        except errors.DregError as failure:
            return failure

    async def delete_blob(self, digest: Digest) -> None:
        """Delete a blob."""
        await changes.delete_blob(self._client, self._name, digest)

    def referrers_tag(self, subject: Digest) -> "AsyncReferrersTag":
        """Return the tag that lists the referrers of a manifest, where the registry does not."""
        from dreg_client._async.referrers_tag import AsyncReferrersTag  # noqa: PLC0415 (few manifests have a subject)

        return AsyncReferrersTag(self._client, self._name, subject)
