"""The tree of an image, from its tag to its layers, with the sizes of all layers drawn on one scale."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, Final

from dreg_client.images.html.text import Html, code, counted, element, joined, short, size

Seen = Mapping[str, Any]
_TITLE: Final = "org.opencontainers.image.title"
_COLOURS: Final = 6
_MOST_OPEN: Final = 60
_LONGEST_LABEL: Final = 160


@dataclass(frozen=True)
class Sizes:
    """How much there is to draw.

    Attributes:
        widest: The size of the largest image, in bytes: the full width of the drawing. At least 1.
        in_all: The size of all layers in bytes, each counted once.
        apart: The same, where each platform is counted alone.
        layers: The number of layers, each counted once.
        owners: The number of platforms that have a layer, by digest, of layers that several have.
        marks: The place of each such layer among them: it gives its colour and its letter.
    """

    widest: int
    in_all: int
    apart: int
    layers: int
    owners: Mapping[str, int]
    marks: Mapping[str, int]


def measure(seen: Seen) -> Sizes:
    """The sizes of all that is drawn."""
    stacks = _stacks(seen)
    totals = [sum(layer["size"] for layer in stack) for stack in stacks]
    once = {layer["digest"]: layer["size"] for stack in stacks for layer in stack}
    owners = Counter(digest for stack in stacks for digest in dict.fromkeys(layer["digest"] for layer in stack))
    shared = {digest: count for digest, count in owners.items() if count > 1}
    marks = {digest: place for place, digest in enumerate(shared)}
    return Sizes(max([1, *totals]), sum(once.values()), sum(totals), len(once), shared, marks)


def _stacks(seen: Seen) -> list[list[Seen]]:
    if artifact := seen["artifact"]:
        return [[artifact["config"], *artifact["layers"]]]
    return [layers_of(image) for image in seen["images"]]


def layers_of(image: Seen) -> list[Seen]:
    """The steps of an image that left a layer."""
    return [step for step in image["layers"] if step["digest"]]


def tree(seen: Seen, sizes: Sizes) -> Html:
    """The drawing: nested lists for those who hear it, bars on one scale for those who see it."""
    below = list(_content(seen, sizes))
    if not is_one_image(seen):
        below = [_branch(_document_row(seen, sizes), below)]
    return element("div", _legend(sizes), element("ul", _branch(_root_row(seen, sizes), below), class_="tree"))


def is_one_image(seen: Seen) -> bool:
    """Whether the tag leads to an image with no index between."""
    return len(seen["images"]) == 1 and seen["images"][0]["digest"] == seen["digest"]


def _legend(sizes: Sizes) -> Html:
    told = f"A bar is a layer; all bars have one scale, whose full width is {size(sizes.widest)}."
    chips = [
        element("li", mark_of(sizes, digest), short(digest), f" in {count} platforms")
        for digest, count in sizes.owners.items()
    ]
    shared = " A letter, with its colour, marks one layer that several platforms share." if chips else None
    return joined([element("p", told, shared, class_="dim"), element("ul", *chips, class_="chips") if chips else None])


def mark_of(sizes: Sizes, digest: str) -> Html | None:
    """The letter of a shared layer on its colour, such as A or, past Z, A1; where none is shared, None."""
    if not sizes.marks:
        return None
    place = sizes.marks.get(digest)
    if place is None:
        return element("span", class_="mark own", aria_hidden="true")
    letter = chr(ord("A") + place % 26) + (str(place // 26) if place >= 26 else "")
    return element("span", letter, class_=f"mark c{place % _COLOURS}")


# --- rows


def _branch(row: Html, below: Sequence[Html]) -> Html:
    return element("li", row, element("ul", *below) if below else None)


def _row(label: Html, chart: Html | None = None, amount: str = "", tag: str = "div") -> Html:
    return element(
        tag,
        element("span", label, class_="label"),
        element("span", chart, class_="chart", aria_hidden="true") if chart is not None else None,
        element("span", amount, class_="amount") if amount else None,
        class_="row",
    )


def _label(kind: str, *content: str | None) -> Html:
    return joined([element("span", kind, class_="kind"), *content], between=" ")


def _root_row(seen: Seen, sizes: Sizes) -> Html:
    reference = seen["reference"]
    kind = "store" if not reference else "digest" if reference == seen["digest"] else "tag"
    axis = joined([element("span", "0"), element("span", size(sizes.widest))])
    return _row(_label(kind, element("strong", reference or seen["store"])), element("span", axis, class_="axis"))


def _document_row(seen: Seen, sizes: Sizes) -> Html:
    kind = "artifact" if seen["artifact"] else "index"
    about = seen["artifact"]["type"] if seen["artifact"] else None
    return _row(_label(kind, short(seen["digest"]), about), amount=f"{size(sizes.in_all)} in all")


def _content(seen: Seen, sizes: Sizes) -> Iterator[Html]:
    """What the document of the tag leads to."""
    if artifact := seen["artifact"]:
        named = [("config", artifact["config"]), *(("layer", layer) for layer in artifact["layers"])]
        labels = [_label(kind, short(found["digest"]), _about(found)) for kind, found in named]
        yield from _layer_rows([found for _, found in named], labels, sizes)
    opened = sum(len(layers_of(image)) for image in seen["images"]) <= _MOST_OPEN
    for image in seen["images"]:
        yield _image(image, sizes, opened=opened)
    for absent in seen["missing"]:
        yield _leaf("platform", absent["platform"], "is not here")
    for found in seen["attestations"]:
        yield _leaf("attestation", short(found["digest"]), f"of {found['platform'] or found['subject'] or 'an image'}")
    for found in seen["others"]:
        yield _leaf("other", short(found["digest"]), _about(found))


def _leaf(kind: str, *content: str) -> Html:
    return element("li", _row(_label(kind, *content)), class_="dim")


def _about(found: Seen) -> str:
    return str(found["annotations"].get(_TITLE) or found["artifactType"] or found["mediaType"])


def _image(image: Seen, sizes: Sizes, *, opened: bool) -> Html:
    layers = layers_of(image)
    title = _label("platform", element("strong", image["platform"] or "an image of no platform"))
    about = element("span", counted(len(layers), "layer"), class_="dim")
    amount = size(sum(layer["size"] for layer in layers))
    row = _row(joined([title, about], " "), _bars(_laid(layers), sizes), amount, "summary")
    labels = [_layer_label(layer, sizes) for layer in layers]
    below = element("ul", *_layer_rows(layers, labels, sizes)) if layers else None
    return element("li", element("details", row, below, open="" if opened else None))


def _layer_label(layer: Seen, sizes: Sizes) -> Html:
    instruction = layer["instruction"] or "(no history)"
    # The whole of it stands in the history; here it has one line.
    text = instruction if len(instruction) <= _LONGEST_LABEL else instruction[:_LONGEST_LABEL] + "…"
    return joined([mark_of(sizes, layer["digest"]), short(layer["digest"]), code(text)], " ")


def _layer_rows(layers: Sequence[Seen], labels: Iterable[Html], sizes: Sizes) -> list[Html]:
    """A bar for each layer, each beginning where the one before it ends."""
    return [
        element("li", _row(label, _bars([place], sizes), size(place[0]["size"])))
        for place, label in zip(_laid(layers), labels, strict=True)
    ]


# --- bars

Laid = tuple[Seen, int]


def _laid(layers: Sequence[Seen]) -> list[Laid]:
    """Layers end to end, each with the place where it begins, in bytes."""
    starts = accumulate((layer["size"] for layer in layers), initial=0)
    return list(zip(layers, starts, strict=False))


def _bars(places: Iterable[Laid], sizes: Sizes) -> Html:
    return joined(_bar(layer, start, sizes) for layer, start in places)


def _bar(layer: Seen, start: int, sizes: Sizes) -> Html:
    """A bar in proportion; that even an empty layer is seen is the style's work, which knows the pixels."""
    place = sizes.marks.get(layer["digest"])
    colour = "own" if place is None else f"c{place % _COLOURS}"
    drawn = f"--from:{_percent(start, sizes.widest)};--wide:{_percent(layer['size'], sizes.widest)}"
    return element("i", class_=f"bar {colour}", style=drawn)


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.4f}%"
