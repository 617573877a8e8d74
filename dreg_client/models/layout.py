"""The file `oci-layout`, which marks an image layout, and names in its index (image-layout.md)."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Final, Literal

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


OTHER_NAME: Final = "io.containerd.image.name"
"""Another annotation that can name an entry of `index.json` (containerd, `docker save`)."""


def ref_name(entry: Descriptor) -> str | None:
    """Return the name of an entry of `index.json` (annotations.md: org.opencontainers.image.ref.name)."""
    return (entry.annotations or {}).get(REF_NAME)


def names_in(annotations: Mapping[str, object] | None) -> tuple[str, ...]:
    """Return the names that the annotations of an entry of `index.json` give it."""
    found = ((annotations or {}).get(key) for key in (REF_NAME, OTHER_NAME))
    return tuple(name for name in found if isinstance(name, str))
