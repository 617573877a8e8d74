"""The tag that a copy is written under."""

from dreg_client import errors
from dreg_client.models.descriptor import Descriptor
from dreg_client.models.layout import ref_name
from dreg_client.values.digest import is_digest
from dreg_client.values.reference import DEFAULT_TAG, Reference, is_tag


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
    if wanted or is_digest(reference):
        return wanted
    name = "" if reference.startswith("@") else reference or ref_name(found) or ""
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
