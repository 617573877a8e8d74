"""The file `oci-layout`, which marks an image layout, and names in its index (image-layout.md)."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from dreg_client.models.annotations import REF_NAME
from dreg_client.models.descriptor import Descriptor
from dreg_client.models.fields import Rule
from dreg_client.models.kinds import MEDIA_TYPES
from dreg_client.models.stored import StoredDocument


class ImageLayout(StoredDocument, frozen=True, title="OCI image layout"):
    """The file `oci-layout`, which contains the version of the layout."""

    kind: ClassVar[str] = "image-layout"
    media_types: ClassVar[tuple[str, ...]] = MEDIA_TYPES["image-layout"]

    image_layout_version: Annotated[Literal["1.0.0"], Rule("LYT-01", '"1.0.0"')] = Field(alias="imageLayoutVersion")
    """The version of the layout; always `1.0.0`."""


def ref_name(entry: Descriptor) -> str | None:
    """Return the name of an entry of `index.json` (annotations.md: org.opencontainers.image.ref.name)."""
    return (entry.annotations or {}).get(REF_NAME)
