"""From one line of text to a store, or to an image in it."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Unpack

from dreg_client import errors
from dreg_client.values.store_name import StoreName, reference_of

# Each kind of store is imported where it is opened: reading a layout must not import sockets, TLS and h11.
if TYPE_CHECKING:
    from dreg_client._async.images import AsyncImage
    from dreg_client._async.layout import AsyncLayout
    from dreg_client._async.store import AsyncStore
    from dreg_client.protocol.options import RegistryOptions


def aopen_store(text: str | StoreName, *, strict: bool = True, **options: "Unpack[RegistryOptions]") -> "AsyncStore":
    """Open the store that a name stands for. No request is sent yet; the index of a layout or archive is read at once.

    Args:
        text: `registry.example/acme/web`, `oci:PATH`, `oci-archive:FILE` or `docker-archive:FILE`; what follows
            (`:TAG`, `@DIGEST`) is ignored.
        strict: Whether documents with readable errors are rejected, too; otherwise `.problems` of each lists them.
        **options: The options of a registry, see `Options`. Unless they name others, credentials and certificates are
            looked up where docker and podman keep them.

    Raises:
        InvalidReferenceError: The text is not a valid name of a store.
        NotFoundError: There is no such file or directory.
        LayoutError: It cannot be used.
        ConfigError: An option names something that cannot be used.
    """
    name = StoreName.parse(text) if isinstance(text, str) else text
    if name.kind == "registry" and name.reference is not None:
        from dreg_client._async.registry import open_repository  # noqa: PLC0415 (see above)
        from dreg_client.credentials.lookup import with_defaults  # noqa: PLC0415

        repository = name.reference.repository
        return open_repository(name.reference.registry, repository, strict=strict, **with_defaults(options))
    if name.kind == "docker-archive":
        from dreg_client._async.docker_archive import AsyncDockerArchive  # noqa: PLC0415 (see above)

        return AsyncDockerArchive(name.path, strict=strict)
    return aopen_layout(name, strict=strict)


def aopen_layout(name: StoreName, *, strict: bool = True) -> "AsyncLayout":
    """Open the layout, in a directory or in an archive, that a name stands for.

    Raises:
        UnsupportedError: It names another kind of store.
        NotFoundError: There is no such file or directory.
        LayoutError: It cannot be used.
    """
    from dreg_client._async.layout import AsyncLayout, open_oci_archive  # noqa: PLC0415 (see above)

    match name.kind:
        case "oci":
            return AsyncLayout(name.path, strict=strict)
        case "oci-archive":
            return open_oci_archive(name.path, strict=strict)
        case "registry" | "docker-archive":
            raise errors.UnsupportedError(f"{name} is no layout; name one as oci:PATH or oci-archive:FILE")


@asynccontextmanager
async def aopen_image(
    text: str, *, strict: bool = True, **options: "Unpack[RegistryOptions]"
) -> "AsyncGenerator[AsyncImage]":
    """Open the image that a line of text names; the store is closed at the end of the block.

    Args:
        text: Such as `ubuntu:22.04`, `oci:build/web:1.4`, `oci:build/web@sha256:...`,
            `docker-archive:web.tar:acme/web:1.4`. Without a tag or digest: `latest`, or the only image of the store.
        strict: Whether documents with readable errors are rejected, too; otherwise `.problems` of each lists them.
        **options: The options of a registry, as for `aopen_store`.

    Raises:
        InvalidReferenceError: The text is not a valid name of a store.
        NotFoundError: There is no such store, tag or digest.
        ConflictError: The text names no tag, and there are several images.
        NotAnImageError: It is an artifact.

    Example:
        async with aopen_image("oci:build/web:1.4") as image:
            print(image.platforms)
    """
    name = StoreName.parse(text)
    async with aopen_store(name, strict=strict, **options) as store:
        yield await store.get_image(reference_of(name))
