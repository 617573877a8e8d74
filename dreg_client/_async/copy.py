"""Copy images, with everything that belongs to them, between any two stores."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Final, Literal, Unpack

from dreg_client import errors
from dreg_client._async.copier import AsyncCopier
from dreg_client._async.copy_ends import (
    AsyncCopyEnd,
    AsyncCopySource,
    AsyncCopyTarget,
    open_source,
    open_target,
    target_of,
)
from dreg_client._async.copy_roots import Root, current_digests, resolve_all, root_of
from dreg_client._async.limits import within
from dreg_client._async.ports import AsyncDestination
from dreg_client.copying.digest_tags import digest_tag, is_referrers_tag
from dreg_client.copying.names import check_distinct, name_to_save, named_by, tag_to_write
from dreg_client.copying.options import CopyFlags, CopyOptions, options_of_ends, platforms_of
from dreg_client.copying.result import CopyRecord, CopyResult
from dreg_client.errors.stores import listed
from dreg_client.models.descriptor import Descriptor
from dreg_client.protocol.events import Event
from dreg_client.protocol.options import Listener
from dreg_client.protocol.tag_conflicts import not_replaced
from dreg_client.values.arguments import check_flag
from dreg_client.values.digest import Digest
from dreg_client.values.media_type import Family
from dreg_client.values.platform import Platform

_ONE_PLATFORM: Final = "a docker-archive holds one of each image; choose it with platforms="

_NO_REFERRERS: Final = "a docker-archive cannot hold signatures and other referrers; omit referrers=True"


async def acopy(
    source: AsyncCopyEnd,
    destination: AsyncCopyEnd,
    *,
    platforms: Iterable[Platform | str] | None = None,
    referrers: bool = False,
    tags: Iterable[str] | Literal["all"] | None = None,
    no_clobber: bool = False,
    dry_run: bool = False,
    **options: Unpack[CopyOptions],
) -> CopyResult:
    """Copy an image or artifact from one store to another, byte for byte, so that its digest stays the same.

    An index is copied with all its manifests. Blobs and manifests that the destination has are skipped, and blobs are
    mounted if both stores are repositories of one registry. What a manifest names is written before the manifest, and
    tags are written last, so a tag never names an incomplete image. If a copy fails or is cancelled, tags that were
    already written stay (the error lists them), and the next copy transfers only what is missing. An archive is written
    as a whole, at the end.

    Args:
        source: The name of the image, such as `ubuntu:22.04` or `oci:build/web:1.4`; an open store; or a pair of an
            open store and a tag or digest.
        destination: Likewise. A layout that does not exist is created. Without a tag, the one of the source is used; if
            that has none, `latest` in a registry. A digest must be that of the copied manifest or index.
        platforms: The platforms to copy, of an index. For one platform, its manifest is copied unchanged. For several,
            a new index is written, with these and their attestations; see `CopyResult.mapping`. Artifacts have no
            platforms, and are copied whole.
        referrers: Whether to also copy signatures, SBOMs and other referrers of all manifests, including digest tags
            (`sha256-....sig`, `.att`, `.sbom`). With `platforms`, those of an index of which only some platforms are
            copied are not; see `CopyResult.uncopied_referrers`.
        tags: The tags to copy, under the same names, or `"all"`. A tag that cannot be copied does not stop the others,
            except in an archive; the error is raised at the end. With `platforms`, digest tags, such as
            `sha256-....sig`, are not among all tags: with `referrers`, they are copied with what they are about.
        no_clobber: Whether tags of other manifests in the destination must not be replaced.
        dry_run: Whether to only find out what would be copied.
        **options: The options of registries that are given by name, see `Options`. By default, the credentials and
            certificates of docker and podman are used. `source_options` and `destination_options` apply to one of them;
            `mirrors` only to the source. `deadline` is the time for the whole copy. `on_event` is also called with the
            events of the copy, in several threads.

    Returns:
        What was copied.

    Raises:
        NotFoundError: The source does not have the image, or something that it names. Layers that clients download from
            their `urls` may be missing.
        PlatformNotFoundError: There is no image for one of the platforms.
        ConflictError: With `no_clobber`, the destination's tag names another manifest. With `tags`, such tags are
            skipped instead; see `CopyResult.not_replaced`, unless another client writes one during the copy. Or two
            names of an archive, such as `acme/web:1.4` and `acme/api:1.4`, would become the same tag of a registry.
        DigestMismatchError: Bytes of the source do not match their digest, or the digest of `destination` is another.
        UnsupportedError: The image has Docker's schema 1; the destination cannot be written, or is a docker-archive
            that cannot hold this; or both ends share a single connection, and a blob cannot be mounted.
        InvalidReferenceError: A name in the source is not a valid tag.
        TooManyEntriesError: The copy has more than 100,000 manifests and blobs.
        DepthLimitError: Indexes are nested more than 8 deep.

    Source: distribution-spec, "Pushing manifests": blobs first, then manifests, then indexes.

    Example:
        result = await acopy("oci:build/web:1.4", "localhost:5000/acme/web:1.4")
        print(result.digest, result.copied.size)
    """
    for name, flag in (("referrers", referrers), ("no_clobber", no_clobber), ("dry_run", dry_run)):
        check_flag(name, flag)
    read_options, write_options = options_of_ends(options)
    wanted, target = platforms_of(platforms), target_of(destination)
    if referrers and target.is_docker_archive:
        raise errors.UnsupportedError(_NO_REFERRERS)

    async def run() -> CopyResult:
        async with open_source(source, read_options) as read:
            roots, invalid = await _roots(read, target, await _requested(read, target, tags, wanted), wanted)
            async with open_target(target, write_options, dry_run=dry_run) as written:
                ends = read.medium, written
                current = await current_digests(*ends, [*roots.values()], surely=no_clobber)
                keeps_going = tags is not None and not written.is_atomic
                flags = CopyFlags(referrers, no_clobber, dry_run, keeps_going)
                copier = AsyncCopier(*ends, flags, emit=listener_of(options))
                await _copy_in_turn(copier, written, roots, current, flags, is_single=tags is None)
        _raise_failures({**invalid, **copier.failures}, copier.record)
        return copier.record.result(is_dry_run=dry_run)

    return await within(options.get("deadline"), run)


def listener_of(options: CopyOptions) -> Callable[[Event], None]:
    """Return the function that gets the events of a copy."""
    on_event = options.get("on_event")
    return Listener(on_event) if on_event is not None else _ignore


def _ignore(event: Event) -> None:
    """Do nothing."""


async def _requested(
    read: AsyncCopySource,
    target: AsyncCopyTarget,
    tags: Iterable[str] | Literal["all"] | None,
    platforms: tuple[Platform, ...],
) -> list[tuple[str, str]]:
    """Return the references to copy, each with the tag that the caller requests for it, or an empty one.

    If platforms are chosen, digest tags are not among all tags: they are copied with what they are about.
    """
    if tags is None:
        return [(read.reference, target.tag)]
    if target.reference:
        raise ValueError(f"with tags=, the destination must not name a tag: {target.reference}")
    if isinstance(tags, str) and tags != "all":
        raise TypeError(f"tags= must be a list of tags, such as [{tags!r}], or 'all'")
    if tags != "all":
        return [(name, name) for name in dict.fromkeys(tags)]
    return [(name, name) for name in await read.medium.tags() if not (platforms and digest_tag(name))]


async def _roots(
    read: AsyncCopySource,
    target: AsyncCopyTarget,
    requested: Sequence[tuple[str, str]],
    platforms: tuple[Platform, ...],
) -> tuple[dict[str, Root], dict[str, errors.DregError]]:
    """Return what to copy, by reference; and, of several tags, those that a registry cannot have, with the errors."""
    found = await resolve_all(read.medium, [reference for reference, _ in requested])
    roots: dict[str, Root] = {}
    invalid: dict[str, errors.DregError] = {}
    for (reference, wanted), descriptor in zip(requested, found, strict=True):
        try:
            tag = "" if target.digest else _tag(read, target, wanted, reference, descriptor)
        except errors.InvalidReferenceError as failure:
            if wanted == target.tag or target.is_archive:
                raise
            invalid[reference] = failure
            continue
        of_image = () if digest_tag(reference) else platforms
        roots[reference] = root = await root_of(read.medium, descriptor, tag, of_image)
        if target.is_docker_archive and root.descriptor.family is Family.INDEX:
            raise errors.UnsupportedError(f"{root.descriptor.digest} has several platforms; {_ONE_PLATFORM}")
    if target.digest and (actual := next(iter(roots.values())).descriptor.digest) != target.digest:
        raise errors.DigestMismatchError(target.digest, actual, f"the image to copy from {read.medium.address}")
    check_distinct([(root.tag, root.descriptor.digest, name) for name, root in roots.items()])
    return roots, invalid


def _tag(read: AsyncCopySource, target: AsyncCopyTarget, wanted: str, reference: str, descriptor: Descriptor) -> str:
    """Return the tag to write a manifest under; empty to write it under its digest."""
    is_bulk = wanted != target.tag
    if not target.is_docker_archive:
        wanted = "" if is_bulk and target.is_registry else wanted  # an archive's names are not tags of a registry
        return tag_to_write(wanted, reference, descriptor, in_registry=target.is_registry)
    repository = read.medium.address if read.medium.client is not None else ""
    return name_to_save(wanted, reference, descriptor, repository=repository, is_bulk=is_bulk)


def _tags_to_leave(
    roots: Iterable[Root], current: Mapping[str, Digest], *, no_clobber: bool, is_single: bool
) -> list[str]:
    """Return the tags of other manifests in the destination that are not replaced.

    With `no_clobber`, these are all; otherwise only lists of referrers, which may have others than those of the source.
    An image that is copied alone replaces them, or, with `no_clobber`, raises ConflictError.
    """
    others = [root.tag for root in roots if current.get(root.tag, root.descriptor.digest) != root.descriptor.digest]
    if not is_single:
        return [tag for tag in others if no_clobber or is_referrers_tag(tag)]
    if others and no_clobber:
        raise not_replaced(others[0], current[others[0]])
    return []


async def _copy_in_turn(
    copier: AsyncCopier,
    written: AsyncDestination,
    roots: Mapping[str, Root],
    current: Mapping[str, Digest],
    flags: CopyFlags,
    *,
    is_single: bool,
) -> None:
    """Copy what was found, digest tags after what they are about."""
    has_digest_tags = any(digest_tag(root.tag) for root in roots.values())
    async with AsyncExitStack() as stack:
        if has_digest_tags and flags.referrers and written.is_atomic and not flags.dry_run:  # written once
            await stack.enter_async_context(written.writing())
        for tags in copier.in_turn(dict.fromkeys(root.tag for root in roots.values())):
            chosen = {reference: root for reference, root in roots.items() if root.tag in tags}
            others = _tags_to_leave(chosen.values(), current, no_clobber=flags.no_clobber, is_single=is_single)
            copier.record.not_replaced += others
            for reference, root in chosen.items():
                if root.tag not in others:
                    copier.add(root, root.tag, name=named_by(reference))
            await copier.run(current)


def _raise_failures(failures: Mapping[str, errors.DregError], record: CopyRecord) -> None:
    """Raise the first error of several tags, with what was copied nevertheless."""
    if not failures:
        return
    first, *_ = failures.values()
    first.add_outcome(f"not copied: {listed([*failures])}; {record.outcome()}")
    raise first
