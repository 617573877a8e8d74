"""Choose an entry, a descriptor or a manifest by `--platform`."""

from typing import TYPE_CHECKING

from dreg_client.cli.shown_problems import put_warnings

if TYPE_CHECKING:
    from dreg_client._sync.store import Store
    from dreg_client.images.image import Entries, Entry
    from dreg_client.models.descriptor import Descriptor
    from dreg_client.models.manifest import ImageManifest
    from dreg_client.values.platform import Platform


def chosen_entry(entries: "Entries", platform: "Platform | None") -> "Entry":
    """Return the entry of the chosen platform, or the only one."""
    from dreg_client.errors import ConflictError
    from dreg_client.errors.stores import listed

    if platform:
        return entries.find(platform)
    if len(entries.platforms) > 1:
        platforms = [*map(str, entries.platforms)]
        raise ConflictError(
            f"this image has {len(platforms)} platforms; choose one with --platform: {listed(platforms)}"
        )
    images = [entry for entry in entries.images() if entry.platform is not None or entry.image]
    if len(images) != 1:
        digests = listed([entry.descriptor.digest for entry in images])
        raise ConflictError(f"this index has {len(images)} images; choose one by its digest: {digests}")
    return images[0]


def chosen_descriptor(store: "Store", reference: str, platform: "Platform | None") -> "Descriptor":
    """Return the descriptor of the manifest of the chosen platform, or of the only one."""
    from dreg_client._sync.index_walk import entries_of

    document = store.get_manifest(reference)
    put_warnings(document)
    return chosen_entry(entries_of(store.source, document), platform).descriptor


def chosen_manifest(store: "Store", reference: str, platform: "Platform | None") -> "ImageManifest":
    """Return the manifest of the chosen platform, or of the only one; it may be an artifact."""
    from dreg_client._sync.documents import read_image_manifest
    from dreg_client.models.index import Index

    if platform is None and not isinstance(document := store.get_manifest(reference), Index):
        put_warnings(document)
        return document
    manifest = read_image_manifest(store.source, chosen_descriptor(store, reference, platform))
    put_warnings(manifest)
    return manifest
