# Generated from dreg_client/_async/image_view.py by tools/generate_sync.py. Do not edit.
"""Reads what is shown of a manifest: the documents of a view (`dreg_client.images.view`)."""

from dreg_client._sync.documents import read_manifest
from dreg_client._sync.images import image_view
from dreg_client._sync.store import Store
from dreg_client.errors import NotAnImageError
from dreg_client.images.view import DocumentRead, Plain, view_artifact
from dreg_client.values.platform import Platform


def view(store: Store, reference: str, chosen: tuple[Platform, ...] = ()) -> Plain:
    """Return the view of an image or an artifact; `chosen` are the platforms to show, in this order; empty for all."""
    source = store.source
    try:
        image = store.get_image(reference)
    except NotAnImageError:
        document = read_manifest(source, reference)
        return view_artifact(DocumentRead(document, source.address, reference, source.writes_manifests))
    return image_view(source, image, reference, chosen)
