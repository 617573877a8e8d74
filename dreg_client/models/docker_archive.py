"""The file `manifest.json` of a `docker save` archive, which lists its images. It is not an image manifest."""

from typing import Annotated, ClassVar, Self, cast

from pydantic import Field, ValidationError

from dreg_client._logging import log
from dreg_client.errors import LayoutCorruptError
from dreg_client.models.base import Members, StrictModel, spelled
from dreg_client.models.fields import NullIsEmptyUnbounded, Rule, Texts
from dreg_client.models.json_text import AmbiguousTextError, read_object


class ArchivedImage(StrictModel, frozen=True):
    """An image of an archive: the paths of its config and layers (bottom first), and its references."""

    folded_names_refused: ClassVar[bool] = False

    config: Annotated[str, Rule("GEN-01", "a string")] = Field(alias="Config")
    repo_tags: Annotated[Texts | None, Rule("GEN-01", "a list of strings")] = Field(default=None, alias="RepoTags")
    layers: Annotated[Texts, NullIsEmptyUnbounded, Rule("GEN-01", "a list of strings")] = Field(alias="Layers")


class ArchiveContents(StrictModel, frozen=True):
    """All images of an archive."""

    images: Annotated[tuple[ArchivedImage, ...], NullIsEmptyUnbounded, Rule("GEN-01", "a list of objects")]

    @classmethod
    def parse(cls, raw: bytes, where: str) -> Self:
        """Parse `manifest.json`; raise LayoutCorruptError if it is not a valid JSON list of images."""
        try:
            tree = read_object(b'{"images":' + raw + b"}")
            if tree.keys() == {"images"}:  # otherwise the file closes the object itself and adds members
                return cls.model_validate({"images": _spelled_as_docker(tree["images"], where)})
        except (AmbiguousTextError, ValidationError):
            pass
        reason = "has a manifest.json that is not a list of images with Config and Layers"
        raise LayoutCorruptError(where, reason)


def _spelled_as_docker(images: object, where: str) -> object:
    """Return images with docker's spelling of member names. Values that are not objects are unchanged.

    Docker accepts names in any letter case (Go's parser does), and Jib before 2.3 wrote `config`, `repoTags` and
    `layers`.
    """
    if not isinstance(images, list):
        return images
    found: list[object] = []
    others: dict[str, str] = {}
    for image in cast("list[object]", images):
        if not isinstance(image, dict):
            found.append(image)
            continue
        members = cast("Members", image)
        names = {name: spelled(ArchivedImage, name) for name in members}
        others |= {name: own for name, own in names.items() if own}
        renamed = {names[name] or name: value for name, value in members.items()}
        if len(renamed) < len(members):
            raise LayoutCorruptError(where, "has a manifest.json with two members that differ only in letter case")
        found.append(renamed)
    if others:
        read = ", ".join(f"{name!r} is read as {own!r}" for name, own in others.items())
        log.warning("%s: in manifest.json, %s, as docker save writes it", where, read)
    return found
