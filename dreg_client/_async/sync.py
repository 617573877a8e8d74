"""Synchronise repositories and whole registries: copy what is missing, and remove what the source no longer has."""

from typing import Unpack

from dreg_client._async.sync_ends import AsyncSyncEnd
from dreg_client._async.sync_repositories import applied, planned, synced
from dreg_client._async.sync_run import AsyncSyncRun, in_run
from dreg_client.copying.options import CopyOptions
from dreg_client.copying.sync_options import SyncOptions, choice_of
from dreg_client.copying.sync_plan import SyncPlan
from dreg_client.copying.sync_result import SyncResult


async def async_sync(source: AsyncSyncEnd, destination: AsyncSyncEnd, **options: Unpack[SyncOptions]) -> SyncResult:
    """Copy the tags of a repository, or of a whole registry, that the destination does not have.

    Tags are compared by their digests, with HEAD requests. What differs is copied as by `acopy`: byte for byte, without
    what the destination has, tags last. A tag that cannot be copied does not stop the others; the result lists it. So
    after an interruption or a failure, run it again: only what is missing is transferred.

    Args:
        source: A repository, layout or archive, by name without a tag, or as an open store. Or several repositories: a
            whole registry (`localhost:5000`, `registry.example/` with a slash, or an open registry), or a directory of
            layouts (`oci:PATH`).
        destination: A repository, layout or archive. For several repositories: a registry, optionally with a prefix for
            their names (`localhost:5001/mirror`); a directory of layouts; or an archive or a layout that exists, in
            which images get full names, such as `localhost:5000/acme/web:1.4`.
        **options: The options of `SyncOptions` (`tags`, `repositories`, `prune`, `allow_empty`, `platforms`,
            `referrers`), and those of `acopy` for registries. `deadline` is the time for the whole sync. Tags that
            are not written by then are failures (`DeadlineError`) of the result.

    Four repositories are synchronised at a time. A blob that several of them have is transferred once to a registry,
    and mounted in the others. A layout or archive whose images have full names can be synchronised with a whole
    registry, or, by `oci-archive:FILE:acme/web`, one of its repositories. An archive is written once, at the end. A
    docker-archive does not keep the digests of manifests, so all its images are written again.

    With `prune=True`, the tags that `tags` chooses and the source does not have are removed from the destination; to
    see them first, use `aplan_sync`. Their manifests stay until the registry or `gc` deletes them. Digest tags,
    such as `sha256-....sig`, are removed only if no tag leads to the manifest that they are about. Nothing is removed
    if the source has no tag that matches (unless `allow_empty=True`), or if its list cannot be read or is incomplete.

    Returns:
        What was copied, skipped and removed, and what failed.

    Raises:
        NotFoundError: The source does not exist.
        UnsupportedError: The destination cannot be written, or the registry has no catalog.
        InvalidReferenceError: A name is not valid, or has a tag.
        DregError: The source or the destination cannot be read. In a whole registry, this is a failure of the result.

    Example:
        result = await async_sync("localhost:5000/acme/web", "oci:build/mirror", tags=["1.*"])
        print(result.copied, result.skipped, *result.failures)
    """
    choice, registries = choice_of(options)

    async def carry_out(run: AsyncSyncRun) -> SyncResult:
        return SyncResult(tuple(await synced(run, source, destination, choice)))

    return await in_run(registries, carry_out)


async def aplan_sync(source: AsyncSyncEnd, destination: AsyncSyncEnd, **options: Unpack[SyncOptions]) -> SyncPlan:
    """Return what `async_sync` would do, with the same arguments. Nothing is written.

    The manifests of the tags to copy are read, to find the blobs to transfer. To carry the plan out, pass it to
    `aapply_sync`, in this or another process. `deadline` is the time for the whole plan.

    Example:
        plan = await aplan_sync("localhost:5000/acme/web", "oci:build/mirror", prune=True)
        print(plan.size, [each.tag for each in plan.repositories[0].removals])
    """
    choice, registries = choice_of(options)

    async def plan(run: AsyncSyncRun) -> SyncPlan:
        return SyncPlan(repositories=tuple(await planned(run, source, destination, choice)))

    return await in_run(registries, plan)


async def aapply_sync(plan: SyncPlan, **options: Unpack[CopyOptions]) -> SyncResult:
    """Carry out a plan of `aplan_sync`, by the names in it.

    Source and destination are compared again. A tag that changed since the plan was made, in the source or in the
    destination, is neither copied nor removed: it is a failure (`ConflictError`) of the result. So is what could not
    be compared when the plan was made. Tags that were already copied are skipped. A plan with `referrers` names tags
    only: the signatures and other referrers that their images have now are copied, also those that were added since.

    Args:
        plan: The plan.
        **options: The options of `acopy` for registries. `deadline` is the time for the whole plan.

    Returns:
        What was copied, skipped and removed, and what failed.
    """

    async def carry_out(run: AsyncSyncRun) -> SyncResult:
        return SyncResult(tuple(await applied(run, plan)))

    return await in_run(options, carry_out)
