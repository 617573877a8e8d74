"""What the drawing of an image needs to know: the sizes of layers, and which of them platforms share."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

from dreg_client.images.view import Plain

_COLOURS: Final = 6
_MOST_OPEN: Final = 60


@dataclass(frozen=True, slots=True)
class SharedLayer:
    """A layer that several platforms have.

    Attributes:
        letter: Its letter, such as A or, after Z, A1.
        colour: The class of its colour.
        platforms: The number of platforms that have it.
    """

    letter: str
    colour: str
    platforms: int


@dataclass(frozen=True, slots=True)
class Drawing:
    """Sizes, in bytes, and the layers that are drawn.

    Attributes:
        widest: Size of the largest image, at least 1: the full width of the drawing.
        in_all: Sum of all layers, each counted once.
        apart: Sum of all layers, counted for each platform.
        layers: Number of layers, each counted once.
        shared: Layers that several platforms have, by digest.
        is_one_image: Whether the tag names an image without an index.
        is_open: Whether the layers of all platforms are unfolded at first.
    """

    widest: int
    in_all: int
    apart: int
    layers: int
    shared: Mapping[str, SharedLayer]
    is_one_image: bool
    is_open: bool

    @staticmethod
    def laid_out(layers: Sequence[Plain]) -> list[tuple[Plain, int]]:
        """Return layers end to end, each with its offset in bytes."""
        starts = accumulate((layer["size"] for layer in layers), initial=0)
        return list(zip(layers, starts, strict=False))

    def percent(self, size: int) -> str:
        """Return a share of the full width."""
        return f"{100 * size / self.widest:.4f}%"


def drawing_of(seen: Plain) -> Drawing:
    """Measure an image or an artifact."""
    stacks = _stacks(seen)
    totals = [sum(layer["size"] for layer in stack) for stack in stacks]
    once = {layer["digest"]: layer["size"] for stack in stacks for layer in stack}
    owners = Counter(digest for stack in stacks for digest in dict.fromkeys(layer["digest"] for layer in stack))
    shared = [(digest, count) for digest, count in owners.items() if count > 1]
    images = seen["images"]
    return Drawing(
        widest=max([1, *totals]),
        in_all=sum(once.values()),
        apart=sum(totals),
        layers=len(once),
        shared={digest: _shared(place, count) for place, (digest, count) in enumerate(shared)},
        is_one_image=len(images) == 1 and images[0]["digest"] == seen["digest"],
        is_open=sum(map(len, stacks)) <= _MOST_OPEN,
    )


def _stacks(seen: Plain) -> list[list[Plain]]:
    if artifact := seen["artifact"]:
        return [[artifact["config"], *artifact["layers"]]]
    return [[step for step in image["layers"] if step["digest"]] for image in seen["images"]]


def _shared(place: int, platforms: int) -> SharedLayer:
    letter = chr(ord("A") + place % 26) + (str(place // 26) if place >= 26 else "")
    return SharedLayer(letter, f"c{place % _COLOURS}", platforms)
