"""The file `manifest.json` of a `docker save` archive, which lists its images (it is not an image manifest)."""

from typing import Annotated, ClassVar, Self

from pydantic import Field, ValidationError

from dreg_client.errors import LayoutCorruptError
from dreg_client.models.base import StrictModel
from dreg_client.models.fields import NullIsEmptyUnbounded, Rule, Texts
from dreg_client.models.json_text import DishonestTextError, read_object


class ArchivedImage(StrictModel, frozen=True):
    """An image of the archive: the names of its config file and layer files (bottom first), and its references."""

    folded_names_refused: ClassVar[bool] = False

    config: Annotated[str, Rule("GEN-01", "a string")] = Field(alias="Config")
    repo_tags: Annotated[Texts | None, Rule("GEN-01", "a list of strings")] = Field(default=None, alias="RepoTags")
    layers: Annotated[Texts, NullIsEmptyUnbounded, Rule("GEN-01", "a list of strings")] = Field(alias="Layers")


class ArchiveContents(StrictModel, frozen=True):
    """All images of an archive."""

    images: Annotated[tuple[ArchivedImage, ...], NullIsEmptyUnbounded, Rule("GEN-01", "a list of objects")]

    @classmethod
    def parse(cls, raw: bytes, where: str) -> Self:
        """Read `manifest.json`; raise LayoutCorruptError if it is not a valid JSON list of images."""
        try:
            tree = read_object(b'{"images":' + raw + b"}")
            if tree.keys() == {"images"}:  # otherwise the wrapped text had braces of its own
                return cls.model_validate(tree)
        except (DishonestTextError, ValidationError):
            pass
        reason = "has a manifest.json that is not a list of images with Config and Layers"
        raise LayoutCorruptError(where, reason)
