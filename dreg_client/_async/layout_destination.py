"""Image layouts on disk as destinations: what is read from them, and how they are written (image-layout.md)."""

from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING

from dreg_client import errors
from dreg_client._async._compat import run_in_thread, run_shielded
from dreg_client._async.blob_file import write_blob
from dreg_client._async.layout_lock import changing_index, deleting_content, writing_content
from dreg_client._async.layout_source import AsyncLayoutSource
from dreg_client._async.ports import AsyncContent, AsyncDestination, OnTags
from dreg_client.files import layout_writer
from dreg_client.files.pending_entries import Change, NewEntries, PendingEntries, current_writer
from dreg_client.files.rooted import DirectoryFiles
from dreg_client.models.descriptor import Descriptor
from dreg_client.models.index_text import Naming
from dreg_client.protocol.content import RawManifest, verifiable
from dreg_client.protocol.tag_conflicts import check_condition
from dreg_client.values.digest import Digest, is_registered_digest
from dreg_client.values.media_type import OCTET_STREAM
from dreg_client.values.tag_condition import TagCondition

if TYPE_CHECKING:  # few programs delete
    from dreg_client.files.layout_gc import GCResult


class AsyncLayoutDestination(AsyncLayoutSource):
    """The files of an image layout in a directory (an `AsyncDestination`). Tasks may share it.

    A blob is written to a temporary file, which is verified, synced and renamed. The index is changed last. What is not
    in it yet belongs to one writer (see `PendingEntries`), so a failure of another one does not affect it.
    """

    has_closures = is_atomic = False
    lists_written = True

    @property
    def writable(self) -> AsyncDestination | None:
        """This object."""
        return self

    @asynccontextmanager
    async def writing(self, *, on_deferred: OnTags | None = None) -> AsyncGenerator[None]:
        """Keep `gc` and deletions out.

        The manifests that are pushed by digest are listed in the index at the end, without a name, except for those
        that another manifest names that is pushed in the block, such as the children of an index. If the block raises,
        they are not listed. With `on_deferred`, tags are written several at a time, at the end or earlier, in the order
        in which they were pushed, also if the block raises.
        """
        async with self._writer(on_deferred):
            yield

    @asynccontextmanager
    async def _writer(self, on_deferred: OnTags | None = None) -> AsyncGenerator[PendingEntries]:
        self.files.check_open()
        pending = PendingEntries(self, on_deferred)
        async with writing_content(self.files.name):
            if pending.outer is None:
                await self._read_index()  # another process may have changed it
            try:
                with pending:
                    yield pending
                await self._end(pending)
            except BaseException:
                if pending.has_tags:
                    with suppress(Exception):  # the first error is raised
                        await run_shielded(self._write_tags, pending)
                raise
            pending.check()

    async def _end(self, pending: PendingEntries) -> None:
        """Write what a writer has left, unless the writer around it will."""
        is_handed_over = pending.hand_over()
        await self._write_tags(pending, () if is_handed_over else pending.roots())
        if pending.has_new_blobs and not is_handed_over:
            await run_in_thread(layout_writer.sync_blobs, self._directory)

    async def _write_tags(self, pending: PendingEntries, roots: Sequence[Descriptor] = ()) -> None:
        """Write the tags that a writer has deferred, and list manifests without a name."""
        if not (roots or pending.has_tags):
            return
        async with changing_index(self.files.name):
            taken = pending.take_tags()
            entries = NewEntries(taken, roots)
            try:
                await self._write_index(entries)
            except BaseException:
                pending.put_back(taken)
                raise
        pending.end_tags(entries)

    async def _change_index(self, change: Change) -> None:
        async with changing_index(self.files.name):
            await self._write_index(change)

    async def _write_index(self, change: Change) -> None:
        """Change the index, while it is locked."""
        self.keep_index(await run_in_thread(layout_writer.change_index, self._directory, change))

    @property
    def _directory(self) -> DirectoryFiles:
        """The files, which are in a directory as long as they are written."""
        assert isinstance(self.files, DirectoryFiles)  # noqa: S101 (see `AsyncLayout.destination`)
        return self.files

    async def current_digest(self, reference: str, *, surely: bool = False) -> Digest | None:  # noqa: ARG002 (port)
        """Return the digest of a manifest in the layout on disk, by its name or digest; None if there is none."""
        await self._read_index()
        try:
            return (await self.resolve(reference)).digest
        except errors.NotFoundError:
            return None

    async def current_tags(self) -> Mapping[str, Descriptor]:
        """Return all names in the layout on disk."""
        await self._read_index()
        return {tag: await self.resolve(tag) for tag in await self.tags()}

    async def push_blob(self, content: AsyncContent) -> Descriptor:
        """Write a blob, unless it exists with the same size (LAY-08)."""
        digest = verifiable(content.digest) if content.digest else None
        async with self._writer() as pending:
            await self._write_overdue(pending)
            size = await run_in_thread(layout_writer.stored_size, self._directory, digest) if digest else None
            if digest is not None and size is not None and content.size in {None, size}:
                return Descriptor(mediaType=OCTET_STREAM, digest=digest, size=size)
            written = await write_blob(self._directory, content)
            pending.add_blob()
            return written

    async def _write_overdue(self, pending: PendingEntries) -> None:
        """Write the tags that have waited long enough. If this fails, the end of the writer tries again."""
        if (overdue := pending.overdue()) is not None:
            with suppress(errors.LayoutError):  # it is not about what is written now
                await self._write_tags(overdue)

    async def mount_blob(self, digest: Digest, repository: str) -> bool:  # noqa: ARG002 (port)
        """Return False, because a layout has no repositories."""
        self.files.check_open()
        return False

    async def push_manifest(
        self, manifest: RawManifest, reference: str, *, no_clobber: bool = False, expected: Digest | None = None
    ) -> bool:
        """Write a manifest under a name or under its digest; return whether the name was written."""
        entry = Descriptor(mediaType=manifest.media_type, digest=manifest.digest, size=len(manifest.raw))
        is_digest = is_registered_digest(reference)
        if is_digest and reference != entry.digest:
            raise errors.DigestMismatchError(Digest(reference), entry.digest, "the manifest to write")
        async with self._writer() as pending:
            if await run_in_thread(layout_writer.write_document, self._directory, manifest.digest, manifest.raw):
                pending.add_blob()
            pending.add(manifest, entry, is_unnamed=is_digest)
            is_written = is_digest or await self._name(
                Naming(entry, reference, TagCondition(no_clobber, expected)), pending
            )
            await self._write_overdue(pending)
        return is_written

    async def _name(self, naming: Naming, pending: PendingEntries) -> bool:
        """Write a tag now, or later; return whether it was written."""
        if pending.defer(naming):
            return False
        await self._change_index(entries := NewEntries([naming]))
        check_condition(naming.condition, naming.name, entries.kept.get(naming.name))
        return not entries.done

    async def delete_tag(
        self,
        tag: str,
        *,
        expected: Digest | None = None,
        known: RawManifest | None = None,  # noqa: ARG002 (port)
    ) -> None:
        """Delete a name. Its manifest stays until `gc`, even if it has no other name.

        A manifest with a `subject`, such as a signature, stays in the index, so that it is still found as a referrer.
        """
        from dreg_client.files.layout_deletions import untag  # noqa: PLC0415 (see above)

        async with self._writer():
            await self._change_index(partial(untag, self.files, tag, expected))

    async def delete_manifest(
        self,
        digest: Digest,
        *,
        tags: Collection[str] | None = None,
        known: RawManifest | None = None,  # noqa: ARG002 (port)
    ) -> None:
        """Delete a manifest and its entries; it stays if an index in the layout names it (LAY-17)."""
        from dreg_client.files.layout_deletions import delete_manifest  # noqa: PLC0415 (see above)

        async with self._deleting(), changing_index(self.files.name):
            self.keep_index(await run_in_thread(delete_manifest, self._directory, digest, tags, self._documents))

    async def delete_blob(self, digest: Digest) -> None:
        """Delete a blob that no manifest in the layout names."""
        from dreg_client.files.layout_deletions import delete_blob  # noqa: PLC0415 (see above)

        async with self._deleting():
            await run_in_thread(delete_blob, self._directory, digest)

    async def gc(self, *, dry_run: bool) -> "GCResult":
        """Delete what nothing in the index leads to."""
        from dreg_client.files.layout_gc import delete_garbage, find_garbage  # noqa: PLC0415 (see above)

        async with self._deleting(dry_run=dry_run):
            await self.refresh()
            found = await run_in_thread(partial(find_garbage, self._directory, self.index, dry_run=dry_run))
            if not dry_run:
                async with changing_index(self.files.name):
                    await run_in_thread(delete_garbage, self._directory, found)
                await self.refresh()
        return found

    @asynccontextmanager
    async def _deleting(self, *, dry_run: bool = False) -> AsyncGenerator[None]:
        """Keep all writers out; raise LayoutLockedError at once if the caller is one itself."""
        self.files.check_open()
        if not dry_run and current_writer(self) is not None:
            reason = "is locked by the `writing` block around this call; delete after the block"
            raise errors.LayoutLockedError(self.files.name, reason)
        async with deleting_content(self.files.name, dry_run=dry_run):
            yield
