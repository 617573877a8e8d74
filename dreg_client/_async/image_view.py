"""Reads what is shown of a manifest: the documents of a view (`dreg_client.images.view`), platforms, steps."""

from dreg_client import errors
from dreg_client._async.images import image_of
from dreg_client._async.showing import image_view, read_partly, read_shown
from dreg_client._async.store import AsyncStore
from dreg_client.images.problems import failures_of
from dreg_client.images.view import DocumentRead, ImageRead, Plain, view_artifact, view_image
from dreg_client.models.index import Index
from dreg_client.models.stored import StoredDocument
from dreg_client.values.platform import Platform, choose


async def view(store: AsyncStore, reference: str, chosen: tuple[Platform, ...] = ()) -> Plain:
    """Return the view of an image or an artifact; `chosen` are the platforms to show, in this order; empty for all."""
    source = store.source
    document = await read_partly(source, reference)
    if isinstance(document, Index):
        image = await image_of(source, reference, document)
        found = [await image.get_descriptor(platform) for platform in chosen]
        # Two of the chosen names may mean one image, such as linux/arm64 and linux/aarch64.
        return await image_view(source, image, reference, tuple({each.digest: each for each in found}.values()))
    read = DocumentRead(document, source.address, reference, source.writes_manifests)
    try:
        shown = await read_shown(source, document)
    except errors.NotAnImageError:
        return view_artifact(read)
    platforms = (shown.platform,) if shown.platform else ()
    for wanted in chosen:
        if choose(wanted, platforms) is None:
            raise shown.failure or errors.PlatformNotFoundError(str(wanted), tuple(map(str, platforms)))
    return view_image(read, ImageRead(platforms, (shown,), (), (), is_whole=not chosen))


async def read_platforms(
    store: AsyncStore, reference: str
) -> tuple[tuple[Platform, ...], tuple[StoredDocument, ...], tuple[errors.DregError, ...]]:
    """Return the platforms of an image, the documents that were read whole, and an error for each that was not.

    Raises:
        NotAnImageError: It is an artifact.
    """
    document = await read_partly(store.source, reference)
    documents: list[StoredDocument] = [document]
    if isinstance(document, Index):
        image = await image_of(store.source, reference, document)
        platforms: tuple[Platform, ...] = image.platforms
        failures = [failure for _, failure in image.unreadable]
    else:
        shown = await read_shown(store.source, document)
        platforms = (shown.platform,) if shown.platform else ()
        failures = [shown.failure] if shown.failure else []
        documents += [shown.config] if shown.config else []
    whole = tuple(each for each in documents if not failures_of(each))
    return platforms, whole, (*(failure for each in documents for failure in failures_of(each)), *failures)
