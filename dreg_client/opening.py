"""From one line of text to a store, or to the image in it."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Unpack

from dreg_client import errors
from dreg_client.values.reference import Reference
from dreg_client.values.store_name import StoreName, reference_of

if TYPE_CHECKING:
    from dreg_client.image import Image, ImageStore
    from dreg_client.layout import Layout
    from dreg_client.protocol.options import RegistryOptions
    from dreg_client.repository import Repository

__all__ = ["open_image", "open_layout", "open_store", "reference_of", "with_defaults"]


def open_store(text: str | StoreName, **options: "Unpack[RegistryOptions]") -> "ImageStore":
    """The store that a name stands for.

    Args:
        text: `registry.example/acme/web`, `oci:PATH`, `oci-archive:FILE` or `docker-archive:FILE`; what follows
            (`:TAG`, `@DIGEST`) is passed over.
        **options: How a registry is talked to, see `Options`. Unless they say otherwise,
            credentials and certificates are looked up where docker and podman have them.

    Raises:
        InvalidReferenceError: The text is no name of a store.
        NotFoundError: There is no such file or directory.
        LayoutError: It cannot be used.
        ConfigError: An option names what cannot be used.
    """
    name = StoreName.parse(text) if isinstance(text, str) else text
    if name.reference is not None and name.kind == "registry":
        return _repository(name.reference, options)
    if name.kind == "docker-archive":
        from dreg_client.archives import DockerArchive  # noqa: PLC0415 (each kind of store brings in its own)

        return DockerArchive(name.path)
    return open_layout(name)


def _repository(reference: Reference, options: "RegistryOptions") -> "Repository":
    """A repository that closes its registry when it is closed."""
    # Here, and not above: whoever reads a layout needs no HTTP.
    from dreg_client.registry import Registry  # noqa: PLC0415

    return Registry(reference.registry, **with_defaults(options)).lone_repository(reference.repository)


def with_defaults(options: "RegistryOptions") -> "RegistryOptions":
    """The options, with the places where docker and podman keep credentials and certificates."""
    from dreg_client.credentials import defaults  # noqa: PLC0415 (as above)

    return defaults.with_defaults(options)


def open_layout(name: StoreName) -> "Layout":
    """The layout, in a directory or in an archive, that a name stands for.

    Raises:
        UnsupportedError: It names something else.
        NotFoundError: There is no such file or directory.
        LayoutError: It cannot be used.
    """
    from dreg_client.archives import open_oci_archive  # noqa: PLC0415 (as above)
    from dreg_client.layout import Layout  # noqa: PLC0415

    match name.kind:
        case "oci":
            return Layout(name.path)
        case "oci-archive":
            return open_oci_archive(name.path)
        case "registry" | "docker-archive":
            message = f"{name} is no layout; name one as oci:PATH or oci-archive:FILE"
            raise errors.UnsupportedError(message)


@contextmanager
def open_image(text: str, **options: "Unpack[RegistryOptions]") -> "Generator[Image]":
    """The image that a line of text names; the store is closed at the end of the block.

    Args:
        text: Such as `ubuntu:22.04`, `oci:build/web:1.4`, `oci:build/web@sha256:...`,
            `docker-archive:web.tar:acme/web:1.4`. Without a tag or digest: `latest`, or the only image of the store.
        **options: As of `open_store`.

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
    with open_store(name, **options) as store:
        yield store.get_image(reference_of(name))
