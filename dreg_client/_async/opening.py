"""Open a store, or an image in it, by its name."""

from functools import partial
from typing import TYPE_CHECKING, Unpack

from dreg_client import errors
from dreg_client._async._awaitable import Opening
from dreg_client._async._compat import opening
from dreg_client.files.store_path import named_store
from dreg_client.values.store_name import StoreName, reference_of

# Each kind of store is imported when it is opened, so that reading a layout does not import sockets, TLS and h11.
if TYPE_CHECKING:
    from dreg_client._async.images import AsyncImage
    from dreg_client._async.layout import AsyncLayout
    from dreg_client._async.store import AsyncStore
    from dreg_client.protocol.options import RegistryOptions


def aopen_store(text: str | StoreName, *, strict: bool = True, **options: "Unpack[RegistryOptions]") -> "AsyncStore":
    """Open a store by its name. No request is sent yet; the index of a layout or archive is read immediately.

    `async with aopen_store(...) as store` closes it at the end of the block. Otherwise, call `await store.close()` to
    close the connections to a registry, or the file of an archive.

    Args:
        text: `registry.example/acme/web`, `oci:PATH`, `oci-archive:FILE`, `docker-archive:FILE` or
            `registry-storage:PATH/acme/web`. A tag or digest after it (`:TAG`, `@DIGEST`) is ignored.
        strict: If False, also return documents with only minor errors, such as a media type with parameters (see
            Rules, "Read invalid documents"); `.problems` lists them.
        **options: The options of a registry, see `Options`. By default, the credentials and certificates of docker and
            podman are used.

    Raises:
        InvalidReferenceError: The text is not a valid name of a store.
        NotFoundError: There is no such file or directory.
        LayoutError: The store is broken or cannot be read.
        ConfigError: An option has a value that cannot be used, such as an unreadable file.
    """
    name = named_store(text)
    if name.kind == "registry" and name.reference is not None:
        from dreg_client._async.registry import open_repository  # noqa: PLC0415 (see above)
        from dreg_client.credentials.lookup import with_defaults  # noqa: PLC0415

        repository = name.reference.repository
        return open_repository(name.reference.registry, repository, strict=strict, **with_defaults(options))
    if name.kind == "registry-storage":
        from dreg_client._async.registry_storage import open_in_storage  # noqa: PLC0415 (see above)

        return open_in_storage(name, strict=strict)
    if name.kind == "docker-archive":
        from dreg_client._async.docker_archive import AsyncDockerArchive  # noqa: PLC0415 (see above)

        return AsyncDockerArchive(name.path, strict=strict)
    return aopen_layout(name, strict=strict)


def aopen_layout(name: StoreName, *, strict: bool = True) -> "AsyncLayout":
    """Open a layout, in a directory or in an archive, by its name.

    Raises:
        UnsupportedError: The name is that of another kind of store.
        NotFoundError: There is no such file or directory.
        LayoutError: The layout is broken or cannot be read.
    """
    from dreg_client._async.layout import AsyncLayout, open_oci_archive  # noqa: PLC0415 (see above)

    match name.kind:
        case "oci":
            return AsyncLayout(name.path, strict=strict)
        case "oci-archive":
            return open_oci_archive(name.path, strict=strict)
        case "registry" | "docker-archive" | "registry-storage":
            raise errors.UnsupportedError(f"{name} is not a layout; expected oci:PATH or oci-archive:FILE")


def aopen_image(
    text: str | StoreName, *, strict: bool = True, **options: "Unpack[RegistryOptions]"
) -> Opening["AsyncImage"]:
    """Open an image, and the store that contains it, by its name.

    `async with aopen_image(...) as image` closes the store at the end of the block. After
    `image = await aopen_image(...)`, call `await image.close()`.

    Args:
        text: The name, such as `ubuntu:22.04`, `oci:build/web:1.4`, `oci:build/web@sha256:...`, or
            `docker-archive:web.tar:acme/web:1.4`. Without a tag or digest, it names `latest`, or the only image of a
            layout or archive.
        strict: If False, also return documents with only minor errors, such as a media type with parameters (see
            Rules, "Read invalid documents"); `.problems` lists them.
        **options: The options of a registry, as for `aopen_store`.

    Raises:
        InvalidReferenceError: The text is not a valid name of a store.
        NotFoundError: There is no such store, tag or digest.
        ConflictError: The text has no tag, and there are several images.
        NotAnImageError: The manifest is that of an artifact.

    Example:
        async with aopen_image("oci:build/web:1.4") as image:
            print(image.platforms)
    """
    return opening(partial(_opened_image, named_store(text), options, strict=strict))


async def _opened_image(name: StoreName, options: "RegistryOptions", *, strict: bool) -> "AsyncImage":
    from dreg_client._async.images import read_image  # noqa: PLC0415 (see above)
    from dreg_client._async.limits import within  # noqa: PLC0415 (as above)

    store = aopen_store(name, strict=strict, **options)
    try:
        seconds = options.get("deadline")
        read = partial(read_image, store.source, reference_of(name), owns_source=True, deadline=seconds)
        image: AsyncImage = await within(seconds, read)
    except BaseException:
        await store.close()
        raise
    return image
