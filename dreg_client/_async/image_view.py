"""Reads what is shown of a manifest: the documents of a view (`dreg_client.images.view`)."""

from dreg_client._async.documents import read_manifest
from dreg_client._async.images import image_view
from dreg_client._async.store import AsyncStore
from dreg_client.errors import NotAnImageError
from dreg_client.images.view import DocumentRead, Plain, view_artifact
from dreg_client.values.platform import Platform


async def view(store: AsyncStore, reference: str, chosen: tuple[Platform, ...] = ()) -> Plain:
    """Return the view of an image or an artifact; `chosen` are the platforms to show, in this order; empty for all."""
    source = store.source
    try:
        image = await store.get_image(reference)
    except NotAnImageError:
        document = await read_manifest(source, reference)
        return view_artifact(DocumentRead(document, source.address, reference, source.writes_manifests))
    return await image_view(source, image, reference, chosen)
