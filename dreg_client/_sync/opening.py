# Generated from dreg_client/_async/opening.py by tools/generate_sync.py. Do not edit.
"""Open a store, or an image in it, by its name."""

from functools import partial
from typing import TYPE_CHECKING, Unpack

from dreg_client import errors
from dreg_client._sync._compat import opening
from dreg_client.files.store_path import named_store
from dreg_client.values.store_name import StoreName, reference_of

# Each kind of store is imported when it is opened, so that reading a layout does not import sockets, TLS and h11.
if TYPE_CHECKING:
    from dreg_client._sync.images import Image
    from dreg_client._sync.layout import Layout
    from dreg_client._sync.store import Store
    from dreg_client.protocol.options import RegistryOptions


def open_store(text: str | StoreName, *, strict: bool = True, **options: "Unpack[RegistryOptions]") -> "Store":
    """Open a store by its name. No request is sent yet; the index of a layout or archive is read immediately.

    `with open_store(...) as store` closes it at the end of the block. Otherwise, call `store.close()` to
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
        from dreg_client._sync.registry import open_repository  # noqa: PLC0415 (see above)
        from dreg_client.credentials.lookup import with_defaults  # noqa: PLC0415

        repository = name.reference.repository
        return open_repository(name.reference.registry, repository, strict=strict, **with_defaults(options))
    if name.kind == "registry-storage":
        from dreg_client._sync.registry_storage import open_in_storage  # noqa: PLC0415 (see above)

        return open_in_storage(name, strict=strict)
    if name.kind == "docker-archive":
        from dreg_client._sync.docker_archive import DockerArchive  # noqa: PLC0415 (see above)

        return DockerArchive(name.path, strict=strict)
    return open_layout(name, strict=strict)


def open_layout(name: StoreName, *, strict: bool = True) -> "Layout":
    """Open a layout, in a directory or in an archive, by its name.

    Raises:
        UnsupportedError: The name is that of another kind of store.
        NotFoundError: There is no such file or directory.
        LayoutError: The layout is broken or cannot be read.
    """
    from dreg_client._sync.layout import Layout, open_oci_archive  # noqa: PLC0415 (see above)

    match name.kind:
        case "oci":
            return Layout(name.path, strict=strict)
        case "oci-archive":
            return open_oci_archive(name.path, strict=strict)
        case "registry" | "docker-archive" | "registry-storage":
            raise errors.UnsupportedError(f"{name} is not a layout; expected oci:PATH or oci-archive:FILE")


def open_image(text: str | StoreName, *, strict: bool = True, **options: "Unpack[RegistryOptions]") -> "Image":
    """Open an image, and the store that contains it, by its name.

    `with open_image(...) as image` closes the store at the end of the block. After
    `image = open_image(...)`, call `image.close()`.

    Args:
        text: The name, such as `ubuntu:22.04`, `oci:build/web:1.4`, `oci:build/web@sha256:...`, or
            `docker-archive:web.tar:acme/web:1.4`. Without a tag or digest, it names `latest`, or the only image of a
            layout or archive.
        strict: If False, also return documents with only minor errors, such as a media type with parameters (see
            Rules, "Read invalid documents"); `.problems` lists them.
        **options: The options of a registry, as for `open_store`.

    Raises:
        InvalidReferenceError: The text is not a valid name of a store.
        NotFoundError: There is no such store, tag or digest.
        ConflictError: The text has no tag, and there are several images.
        NotAnImageError: The manifest is that of an artifact.

    Example:
        with open_image("oci:build/web:1.4") as image:
            print(image.platforms)
    """
    return opening(partial(_opened_image, named_store(text), options, strict=strict))


def _opened_image(name: StoreName, options: "RegistryOptions", *, strict: bool) -> "Image":
    from dreg_client._sync.images import read_image  # noqa: PLC0415 (see above)
    from dreg_client._sync.limits import within  # noqa: PLC0415 (as above)

    store = open_store(name, strict=strict, **options)
    try:
        seconds = options.get("deadline")
        read = partial(read_image, store.source, reference_of(name), owns_source=True, deadline=seconds)
        image: Image = within(seconds, read)
    except BaseException:
        store.close()
        raise
    return image
