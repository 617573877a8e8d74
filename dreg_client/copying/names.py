"""The tag that a copy is written under."""

from collections.abc import Iterable

from dreg_client import errors
from dreg_client.models.descriptor import Descriptor
from dreg_client.models.layout import ref_name
from dreg_client.values.digest import Digest, is_registered_digest
from dreg_client.values.reference import DEFAULT_TAG, Reference, is_tag


def name_to_save(wanted: str, reference: str, found: Descriptor, *, repository: str, is_bulk: bool) -> str:
    """Return the name to write an image under in a docker-archive; empty if it gets none.

    Args:
        wanted: The name that the destination or `tags` names; empty if there is none.
        reference: The tag or digest that was requested of the source; empty if it was the only image, or `latest`.
        found: What the source returned. In a layout, its annotations have its name.
        repository: The source with its registry; empty if it is a layout or an archive.
        is_bulk: Whether the names come from `tags`.

    Raises:
        InvalidReferenceError: `tags` has names without a repository, such as those of a layout.
    """
    if wanted and not is_bulk:
        return wanted
    name = wanted or ("" if is_registered_digest(reference) else _name_in_source(reference, found))
    if repository:
        return "" if is_registered_digest(reference) else f"{repository}:{name or DEFAULT_TAG}"
    if ":" in name or "/" in name:
        return name
    if is_bulk:
        expected = "a name with a repository; copy one image at a time, to docker-archive:FILE:REPOSITORY:TAG"
        raise errors.InvalidReferenceError(name[:80], "tag", expected)
    return ""


def check_distinct(tags: Iterable[tuple[str, Digest, str]]) -> None:
    """Check that no two images get the same tag: for each, its tag, its digest, and its name in the source.

    Raises:
        ConflictError: Two names of an archive, such as `acme/web:1.4` and `acme/api:1.4`, become the same tag.
    """
    first: dict[str, tuple[Digest, str]] = {}
    for tag, digest, name in tags:
        other, other_name = first.setdefault(tag, (digest, name))
        if tag and other != digest:
            both = f"{other_name[:80]!r} and {name[:80]!r} would both become the tag {tag}"
            raise errors.ConflictError(f"{both}; copy one image at a time, with a tag after the destination")


def tag_to_write(wanted: str, reference: str, found: Descriptor, *, in_registry: bool) -> str:
    """Return the tag to write a manifest under; empty to write it under its digest.

    Args:
        wanted: The tag that the destination names; empty if it names none.
        reference: The tag or digest that was requested of the source; empty if it was the only image, or `latest`.
        found: What the source returned. In a layout, its annotations have its name.
        in_registry: Whether the destination is a registry, whose tags have a grammar.

    Raises:
        InvalidReferenceError: The source's name for the image is not a valid tag.
    """
    if wanted or is_registered_digest(reference):
        return wanted
    name = _name_in_source(reference, found)
    if not in_registry:
        return name
    if not name:
        return DEFAULT_TAG
    if is_tag(name):
        return name
    try:
        return Reference.parse(name).tag or DEFAULT_TAG
    except errors.InvalidReferenceError:
        expected = "a tag, since the image's name in the source is not one; write it after the destination, as in :TAG"
        raise errors.InvalidReferenceError(name[:80], "tag", expected) from None


def named_by(reference: str) -> str:
    """Return the name of an image in a reference; empty if it is a digest, or a position such as `@0`."""
    return "" if reference.startswith("@") or is_registered_digest(reference) else reference


def _name_in_source(reference: str, found: Descriptor) -> str:
    """Return the name of an image in the source; empty if it has none."""
    return named_by(reference) or ref_name(found) or ""
