"""From one line of text to a store, or to the image in it."""

from collections.abc import Generator
from contextlib import contextmanager

from dreg_client import errors
from dreg_client.archives import DockerArchive, open_oci_archive
from dreg_client.image import Image, ImageStore
from dreg_client.layout import Layout
from dreg_client.values.store_name import StoreName


def open_store(text: str | StoreName) -> ImageStore:
    """The store that a name stands for.

    Args:
        text: `oci:PATH`, `oci-archive:FILE` or `docker-archive:FILE`; what follows (`:TAG`, `@DIGEST`) is passed over.

    Raises:
        InvalidReferenceError: The text is no name of a store.
        UnsupportedError: It names a registry: not read by this version.
        NotFoundError: There is no such file or directory.
        LayoutError: It cannot be used.
    """
    name = StoreName.parse(text) if isinstance(text, str) else text
    if name.kind == "docker-archive":
        return DockerArchive(name.path)
    return open_layout(name)


def open_layout(name: StoreName) -> Layout:
    """The layout, in a directory or in an archive, that a name stands for.

    Raises:
        UnsupportedError: It names something else.
        NotFoundError: There is no such file or directory.
        LayoutError: It cannot be used.
    """
    match name.kind:
        case "oci":
            return Layout(name.path)
        case "oci-archive":
            return open_oci_archive(name.path)
        case "registry" | "docker-archive":
            advice = "registries are not read by this version; name a layout as oci:PATH"
            message = f"{name} is no layout; {advice}"
            raise errors.UnsupportedError(message)


@contextmanager
def open_image(text: str) -> Generator[Image]:
    """The image that a line of text names; the store is closed at the end of the block.

    Args:
        text: Such as `oci:build/web:1.4`, `oci:build/web@sha256:...`, `docker-archive:web.tar:acme/web:1.4`. Without a
            tag or digest: the only image of the store.

    Raises:
        InvalidReferenceError: The text is no name of a store.
        NotFoundError: There is no such store, tag or digest.
        ConflictError: No tag was named, and there are several images.
        NotAnImageError: It is an artifact.

    Example:
        with open_image("oci:build/web:1.4") as image:
            print(image.platforms)
    """
    name = StoreName.parse(text)
    with open_store(name) as store:
        yield store.get_image(reference_of(name))


def reference_of(name: StoreName) -> str:
    """What a name asks of its store: a digest, a tag, a place in an archive, or nothing."""
    if name.digest is not None:
        return name.digest
    if name.index is not None:
        return f"@{name.index}"
    if name.kind == "docker-archive" and name.reference is not None:
        return str(name.reference)
    return name.tag or ""
