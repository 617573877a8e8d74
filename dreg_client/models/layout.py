"""The marker of an image layout directory, the file `oci-layout` (image-layout.md)."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from dreg_client.models.fields import Rule
from dreg_client.models.stored import StoredDocument
from dreg_client.values import media_type as types


class ImageLayout(StoredDocument, frozen=True, title="OCI image layout"):
    """The file `oci-layout`, which names the version of the layout."""

    kind: ClassVar[str] = "image-layout"
    media_types: ClassVar[tuple[str, ...]] = (types.OCI_LAYOUT,)

    image_layout_version: Annotated[Literal["1.0.0"], Rule("LYT-01", '"1.0.0"')] = Field(alias="imageLayoutVersion")
    """The version of the layout: 1.0.0."""
