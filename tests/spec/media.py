"""The media that stores are on, and what each of them can hold."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Medium:
    """What a store of one kind has.

    Attributes:
        tags: All its tags.
        single: The tag of an image of one platform, linux/amd64.
        index: The tag of an index of three platforms; None if such a store has no indexes.
        nested: The tag of an index of that index.
        artifact: The tag of an artifact.
    """

    tags: frozenset[str]
    single: str
    index: str | None = None
    nested: str | None = None
    artifact: str | None = None


WHOLE: Final = Medium(frozenset({"1.4", "artifact", "nested", "single"}), "single", "1.4", "nested", "artifact")
MEDIA: Final = {
    "http": WHOLE,
    "layout": WHOLE,
    "oci-archive": WHOLE,
    "registry-storage": WHOLE,
    "registry-storage by fsspec": WHOLE,
    # `docker save` writes configs and layers. The manifest of an image is written by dreg-client, so there are neither
    # indexes nor artifacts, and nothing can refer to a manifest.
    "docker-archive": Medium(frozenset({"acme/web:single", "acme/web:latest"}), "acme/web:single"),
}
