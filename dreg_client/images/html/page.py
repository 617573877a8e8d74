"""Render the view of an image with templates, which escape all text by default (`text.finalize`)."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from dreg_client.images.html import text
from dreg_client.images.view import Plain, full_name, owner_of, time_of
from dreg_client.values.sizes import byte_size

_SEVERITIES: Final = ("error", "warning", "note")
_COLOURS: Final = 6
_MOST_PLATFORMS: Final = 12
_TWO_SCREENS: Final = 54
"""The lines of two screens of 800 pixels, about 29 pixels each."""
_FRAGMENT_TOP: Final = 3  # below the headings of the surrounding notebook


class FirstTable:
    """The tables printed so far. Images of one index share many labels and annotations, which are printed once."""

    def __init__(self) -> None:
        self._names: dict[tuple[tuple[str, str], ...], str] = {}

    def of(self, title: str, members: dict[str, str], owner: str) -> str | None:
        """Return the name of an equal table further up; None if this is the first one."""
        key = tuple(members.items())
        if key in self._names:
            return self._names[key]
        if members:
            self._names[key] = f"the {title.lower()} of {owner}"
        return None


class Space:
    """The lines that are left of two screens: a part that does not fit is folded, so that a large image stays short."""

    def __init__(self, lines: int) -> None:
        self._left = lines

    def takes(self, lines: int) -> bool:
        """Return whether a part may be unfolded; if so, its lines are used up."""
        fits = lines <= self._left
        self._left -= lines if fits else 0
        return fits


def lines_of(texts: Mapping[str, str] | Sequence[str | None], width: int = 60) -> int:
    """Estimate the lines that texts take, each on a line of its own, at `width` characters for each line.

    Examples:
        >>> lines_of({"PATH": "/bin", "LONG": "x" * 100})
        3
    """
    each = texts.values() if isinstance(texts, Mapping) else texts
    return sum(1 + len(text or "") // width for text in each)


def render(seen: Plain, *, whole_page: bool) -> str:
    """Render a page or a fragment (see `dreg_client.images.html.picture`)."""
    # Problems grouped by document, each with its severity.
    problems: dict[tuple[str, str | None], list[tuple[str, Plain]]] = {}
    count = Counter[str]()
    for problem in seen.get("problems") or ():
        severity = problem["severity"] if problem["severity"] in _SEVERITIES else "note"
        problems.setdefault((problem["document"], problem["digest"]), []).append((severity, problem))
        count[severity] += 1
    counted = [
        f"{count[severity]:,} {text.plural(severity, count[severity])}" for severity in _SEVERITIES if severity in count
    ]
    template = environment().get_template("page.html.j2" if whole_page else "fragment.html.j2")
    images, drawing = seen["images"], drawing_of(seen)
    space = Space(_TWO_SCREENS - lines_when_folded(seen, drawing))
    return template.render(
        body="body.html.j2",
        seen=seen,
        name=full_name(seen),
        owner=owner_of(seen),
        drawing=drawing,
        images=(images[:_MOST_PLATFORMS], images[_MOST_PLATFORMS:]),
        most_platforms=_MOST_PLATFORMS,
        space=space,
        layers_open=space.takes(drawing.rows),
        first_table=FirstTable(),
        problems=None if seen.get("problems") is None else problems,
        problem_counts=", ".join(counted),
        top=1 if whole_page else _FRAGMENT_TOP,
    )


@cache
def environment() -> Environment:
    """Return the environment of the templates."""
    found = Environment(
        loader=PackageLoader("dreg_client.images.html"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=text.finalize,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    functions = (text.spelled, text.breakable, text.timestamp, text.clip, text.thousands, text.plural, lines_of)
    filters: dict[str, Any] = found.filters  # Any: the type inferred for its own filters is narrower
    filters |= {function.__name__: function for function in functions} | {"size": byte_size, "time_of": time_of}
    tests: dict[str, Any] = found.tests
    tests["https_url"] = text.is_https_url
    return found


@dataclass(frozen=True, slots=True)
class SharedLayer:
    """A layer shared by several platforms: its letter, such as A or A1, its CSS class, and the number of platforms."""

    letter: str
    colour: str
    platforms: int


@dataclass(frozen=True, slots=True)
class Drawing:
    """The measures of a drawing; sizes are in bytes."""

    widest: int  # size of the largest image, at least 1; it takes the full width
    in_all: int  # total size of all layers, each counted once
    apart: int  # total size of all layers, counted for each platform
    layers: int  # number of layers, each counted once
    rows: int  # number of layers, counted for each platform
    shared: Mapping[str, SharedLayer]  # layers shared by several platforms, by digest
    is_one_image: bool  # whether the image has no index

    @staticmethod
    def laid_out(layers: Sequence[Plain]) -> list[tuple[Plain, int]]:
        """Return layers end to end, each with its offset in bytes."""
        starts = accumulate((layer["size"] for layer in layers), initial=0)
        return list(zip(layers, starts, strict=False))

    def percent(self, size: int) -> str:
        """Return a size as a percentage of the full width."""
        return f"{100 * size / self.widest:.4f}%"


def drawing_of(seen: Plain) -> Drawing:
    """Measure an image or an artifact."""
    images, artifact = seen["images"], seen["artifact"]
    stacks = [image["layers"] for image in images]
    if artifact:
        stacks = [[artifact["config"], *artifact["layers"]]]
    totals = [sum(layer["size"] for layer in stack) for stack in stacks]
    once = {layer["digest"]: layer["size"] for stack in stacks for layer in stack}
    owners = Counter(digest for stack in stacks for digest in {layer["digest"]: None for layer in stack})
    shared = [(digest, count) for digest, count in owners.items() if count > 1]
    return Drawing(
        widest=max([1, *totals]),
        in_all=sum(once.values()),
        apart=sum(totals),
        layers=len(once),
        rows=sum(map(len, stacks)),
        shared={digest: _shared(position, count) for position, (digest, count) in enumerate(shared)},
        is_one_image=len(images) == 1 and images[0]["digest"] == seen["digest"],
    )


def lines_when_folded(seen: Plain, drawing: Drawing) -> int:
    """Estimate the lines that a page takes if every part is folded: the header, the drawing and the titles of parts."""
    platforms = min(len(seen["images"]), _MOST_PLATFORMS + 1)
    parts = [seen.get("problems"), seen["annotations"], seen["artifact"], seen["missing"], seen["unreadable"]]
    parts += [seen["attestations"], seen["others"]]
    return 16 + 5 + (2 if drawing.shared else 0) + platforms * 2 + 2 * sum(map(bool, parts))


def _shared(position: int, platforms: int) -> SharedLayer:
    letter = chr(ord("A") + position % 26) + (str(position // 26) if position >= 26 else "")
    return SharedLayer(letter, f"c{position % _COLOURS}", platforms)
