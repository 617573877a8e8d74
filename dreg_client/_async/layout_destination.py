"""Image layouts on disk as destinations: what is read from them, and how they are written (image-layout.md)."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Final

from dreg_client import errors
from dreg_client._async._compat import run_in_thread, run_shielded
from dreg_client._async.blob_file import write_blob
from dreg_client._async.layout_lock import changing_index, deleting_content, writing_content
from dreg_client._async.layout_source import AsyncLayoutSource
from dreg_client._async.ports import AsyncContent, AsyncDestination
from dreg_client.files import layout as layout_files
from dreg_client.files import layout_writer
from dreg_client.files.rooted import DirectoryFiles, Files
from dreg_client.models.descriptor import Descriptor
from dreg_client.models.index import LayoutIndex
from dreg_client.models.index_text import IndexText
from dreg_client.protocol.content import RawManifest, verifiable
from dreg_client.protocol.missing import named_manifests
from dreg_client.protocol.referrers import subject_in
from dreg_client.values.digest import Digest, is_registered_digest
from dreg_client.values.media_type import OCTET_STREAM

if TYPE_CHECKING:  # few programs delete
    from dreg_client.files.layout_gc import GCResult
    from dreg_client.files.layout_reach import Reach


_TAGS_WITHIN: Final = 1.0
"""The seconds after which new tags are written, while more are written: each change of the index is synced to disk."""


class AsyncLayoutDestination(AsyncLayoutSource):
    """The files of an image layout in a directory (an `AsyncDestination`). Tasks may share it.

    A blob is written to a temporary file, which is verified, synced and renamed. The index is changed last.
    """

    has_closures = False
    lists_written = True
    is_atomic = False

    def __init__(self, files: Files, *, strict: bool = True) -> None:
        super().__init__(files, strict=strict)
        self._writers: list[object] = []
        self._unlisted: dict[Digest, Descriptor] = {}  # pushed by digest since the first writer began
        self._unsynced: set[str] = set()  # the algorithms of new blobs, whose directories must be synced
        self._is_index_unsynced = False
        self._tagged: list[tuple[Descriptor, str]] = []  # not in `index.json` yet
        self._tags_written = 0.0  # when
        self._index_with_tags: tuple[tuple[bytes, int], LayoutIndex] | None = None
        self._named: set[Digest] = set()  # named by the manifests that were pushed meanwhile
        self._referring: set[Digest] = set()  # pushed manifests with a subject, which are always listed

    @property
    def writable(self) -> AsyncDestination | None:
        """This object."""
        return self

    @asynccontextmanager
    async def writing(self) -> AsyncGenerator[None]:
        """Keep `gc` and deletions out.

        Tags are written in the order in which they were pushed, several at a time, at the end or earlier.
        The manifests that are pushed by digest are listed in the index at the end, without a name, except for those
        that another pushed manifest names, such as the children of an index.
        """
        self.files.check_open()
        async with writing_content(self.files.name):
            self._writers.append(writer := object())
            try:
                yield
            except BaseException:
                self._left_by(writer)
                if self._tagged and not self._writers:
                    with suppress(errors.DregError):  # the first error is raised
                        await run_shielded(self._write_tags)
                raise
            else:
                await self._write_rest(self._left_by(writer))
            finally:
                if not self._writers:
                    self._tagged.clear()  # those that could not be written

    async def _write_rest(self, roots: list[Descriptor]) -> None:
        """After the last writer, list manifests in the index, and make everything survive a power failure."""
        if not self._writers:
            if roots or self._tagged:
                await self._change_index(lambda index: index.add_all(roots))
            await self._sync()
            await self._sync_index()

    @property
    def index(self) -> LayoutIndex:
        """The document `index.json`, with all tags, even if they are not on disk yet."""
        if not self._tagged:
            return super().index
        state, shown = (self.raw_index, len(self._tagged)), self._index_with_tags
        if shown is None or shown[0] != state:
            text = IndexText.parse(self.raw_index)
            if text is None:
                return super().index
            text.name_all(self._tagged)
            self._index_with_tags = shown = state, layout_files.parse_index(text.text(), self.name, strict=self.strict)
        return shown[1]

    def _left_by(self, writer: object) -> list[Descriptor]:
        """End a writer; if it was the last one, return the manifests to list."""
        self._writers.remove(writer)
        if self._writers:
            return []
        unlisted, self._unlisted = self._unlisted, {}
        named, self._named, self._referring = self._named - self._referring, set(), set()
        return [entry for digest, entry in unlisted.items() if digest not in named]

    async def _change_index(self, change: "layout_writer.Change") -> None:
        """Write the tags that are not on disk yet, and another change."""
        async with changing_index(self.files.name):
            tagged = tuple(self._tagged)

            def change_all(index: IndexText) -> bool:
                is_changed = index.name_all(tagged) | change(index)
                self._is_index_unsynced |= is_changed
                return is_changed

            await self._sync()
            self.keep_index(await run_in_thread(layout_writer.change_index, self._directory, change_all))
            del self._tagged[: len(tagged)]
            self._tags_written = monotonic()

    async def _write_tags(self) -> None:
        await self._change_index(lambda _: False)

    @property
    def _directory(self) -> DirectoryFiles:
        """The files, which are in a directory as long as they are written."""
        assert isinstance(self.files, DirectoryFiles)  # noqa: S101 (see `AsyncLayout.destination`)
        return self.files

    async def _sync(self) -> None:
        """Make the names of new blobs survive a power failure."""
        unsynced, self._unsynced = self._unsynced, set()
        if unsynced:
            await run_in_thread(layout_writer.sync_blobs, self._directory, unsynced)

    async def _sync_index(self) -> None:
        """Make a changed index survive a power failure."""
        is_unsynced, self._is_index_unsynced = self._is_index_unsynced, False
        if is_unsynced:
            await run_in_thread(layout_writer.sync_index, self._directory)

    async def current_digest(self, reference: str) -> Digest | None:
        """Return the digest of a manifest in the layout, by its name or digest; None if there is none."""
        try:
            return (await self.resolve(reference)).digest
        except errors.NotFoundError:
            return None

    async def push_blob(self, content: AsyncContent) -> Descriptor:
        """Write a blob, unless it exists with the same size (LAY-08)."""
        self.files.check_open()
        digest = verifiable(content.digest) if content.digest else None
        async with self.writing():
            size = await run_in_thread(layout_writer.stored_size, self._directory, digest) if digest else None
            if digest is not None and size is not None and content.size in {None, size}:
                return Descriptor(mediaType=OCTET_STREAM, digest=digest, size=size)
            written = await write_blob(self._directory, content)
            self._unsynced.add(written.digest.algorithm)
            return written

    async def mount_blob(self, digest: Digest, repository: str) -> bool:  # noqa: ARG002 (port)
        """Return False, because a layout has no repositories."""
        self.files.check_open()
        return False

    async def push_manifest(self, manifest: RawManifest, reference: str) -> None:
        """Write a manifest under a name or under its digest."""
        self.files.check_open()
        entry = Descriptor(mediaType=manifest.media_type, digest=manifest.digest, size=len(manifest.raw))
        is_digest = is_registered_digest(reference)
        if is_digest and reference != entry.digest:
            raise errors.DigestMismatchError(Digest(reference), entry.digest, "the manifest to write")
        async with self.writing():
            if await run_in_thread(layout_writer.write_document, self._directory, manifest.digest, manifest.raw):
                self._unsynced.add(manifest.digest.algorithm)
            self._named.update(named_manifests(manifest.raw))
            if is_digest:
                self._unlisted[entry.digest] = entry
                if subject_in(manifest.raw) is not None:
                    self._referring.add(entry.digest)
            else:
                self._tagged.append((entry, reference))
                if monotonic() - self._tags_written > _TAGS_WITHIN and len(self._writers) > 1:
                    await self._write_tags()

    async def delete_tag(self, tag: str) -> None:
        """Delete a name. Its manifest stays until `gc`, even if it has no other name.

        A manifest with a `subject`, such as a signature, stays in the index, so that it is still found as a referrer.
        """
        self.files.check_open()
        was_there = False
        referring = await self._referring_at(tag)

        def change(index: IndexText) -> bool:
            nonlocal was_there
            was_there = index.remove_name(tag)
            return was_there | (was_there and index.add_all(referring))

        async with self.writing():
            await self._change_index(change)
        if not was_there:
            raise layout_files.not_found(self.index, tag, self.name)

    async def _referring_at(self, tag: str) -> list[Descriptor]:
        """Return the descriptors of the manifests at a name that have a subject, without annotations."""
        found: list[Descriptor] = []
        for entry in layout_files.entries_named(self.index, tag):
            with suppress(errors.DregError):  # a broken manifest can still lose its name
                raw = await self.fetch_document(entry)
                if subject_in(raw) is not None:
                    found.append(Descriptor(mediaType=entry.media_type, digest=entry.digest, size=entry.size))
        return found

    async def delete_manifest(self, digest: Digest) -> None:
        """Delete a manifest and its entries; it stays if an index in the layout names it (LAY-17)."""
        self.files.check_open()
        async with deleting_content(self.files.name):
            was_listed = await self._unlisted_now(digest)
            if not was_listed and not await self.has_blob(digest):
                raise errors.NotFoundError(f"manifest {digest}", self.name, "check the digest")
            reach = await self._reach()
            if digest not in reach.digests:
                await run_in_thread(layout_writer.delete_file, self._directory, digest)
            elif not was_listed:
                raise self._still_named(digest, reach)

    async def _unlisted_now(self, digest: Digest) -> bool:
        """Remove the entries of a manifest; return whether there were any."""
        was_listed = False

        def change(index: IndexText) -> bool:
            nonlocal was_listed
            was_listed = index.remove([digest])
            return was_listed

        await self._change_index(change)
        await self._sync_index()  # the manifest must not be deleted before
        return was_listed

    async def delete_blob(self, digest: Digest) -> None:
        """Delete a blob that no manifest in the layout names."""
        self.files.check_open()
        async with deleting_content(self.files.name):
            if not await self.has_blob(digest):
                raise errors.NotFoundError(f"blob {digest}", self.name, "check the digest")
            reach = await self._reach()
            if digest in reach.digests:
                raise self._still_named(digest, reach)
            await run_in_thread(layout_writer.delete_file, self._directory, digest)

    async def gc(self, *, dry_run: bool) -> "GCResult":
        """Delete what nothing in the index leads to."""
        from dreg_client.files.layout_gc import delete_garbage, find_garbage  # noqa: PLC0415 (see above)

        self.files.check_open()
        async with deleting_content(self.files.name, dry_run=dry_run):
            await self.refresh()
            found = await run_in_thread(partial(find_garbage, self._directory, self.index, dry_run=dry_run))
            if not dry_run:
                async with changing_index(self.files.name):
                    await run_in_thread(delete_garbage, self._directory, found)
                await self.refresh()
        return found

    async def _reach(self) -> "Reach":
        from dreg_client.files.layout_reach import reachable_in  # noqa: PLC0415 (see above)

        await self.refresh()
        return await run_in_thread(partial(reachable_in, self.files, self.index))

    def _still_named(self, digest: Digest, reach: "Reach") -> errors.ConflictError:
        parent = reach.digests[digest]
        what = f"{self.name}: {digest} was not deleted, because {parent or 'index.json'} names it"
        return errors.ConflictError(f"{what}; delete that first")
