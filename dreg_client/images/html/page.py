"""An image as a page: what `dreg inspect` shows, drawn in HTML that needs no script, no network and no trust.

All of the text comes from strangers: `text` escapes it. The page asks no other host for anything.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from html import escape
from typing import Any, Final

from dreg_client.images.html.style import PAGE_STYLE, SCOPE, STYLE
from dreg_client.images.html.text import (
    Html,
    cells,
    code,
    counted,
    dotted,
    element,
    facts,
    folded,
    joined,
    link,
    listed,
    moment,
    size,
    spelled,
    table,
)
from dreg_client.images.html.tree import Sizes, is_one_image, layers_of, mark_of, measure, tree

Seen = Mapping[str, Any]
_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'"
_SEVERITIES: Final = ("error", "warning", "note")
_LONGEST_TITLE: Final = 200
_FRAGMENT_TOP: Final = 3  # below the headings of the notebook that it stands in


def picture(seen: Mapping[str, Any], *, whole_page: bool = True) -> str:
    """Draw an image or an artifact.

    Args:
        seen: What `dreg inspect --format json` prints; `problems` may be a member of it, too.
        whole_page: A page of its own; otherwise a fragment for a page of others, such as a notebook's. Its style
            holds below one class, and it has no ids, so that any number of fragments share a page.

    Returns:
        HTML. It loads nothing, runs nothing, and links to nothing but the rules of the problems.
    """
    if not whole_page:
        return element("div", element("style", Html(STYLE)), *_body(seen, _FRAGMENT_TOP), class_=SCOPE)
    head = (
        '<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"{element('title', Html(escape(spelled(_name(seen)[:_LONGEST_TITLE]))))}\n"
        f"{element('style', Html(PAGE_STYLE + STYLE))}\n"
    )
    main = element("main", *_body(seen, 1), class_=SCOPE)
    return f'<!DOCTYPE html>\n<html lang="en">\n<head>\n{head}</head>\n<body>\n{main}\n</body>\n</html>\n'


def _body(seen: Seen, top: int) -> Iterator[Html | None]:
    sizes = measure(seen)
    told = Told()
    yield _head(seen, sizes, top)
    yield element("section", _heading(top + 1, "From tag to layers"), tree(seen, sizes), class_="drawing")
    yield _problems(seen.get("problems"), top + 1)
    if not is_one_image(seen):  # an image that stands alone has them among its own
        owner = "the artifact" if seen["artifact"] else "the index"
        yield told.table("Annotations", seen["annotations"], owner, top + 1)
    if seen["artifact"]:
        yield _artifact(seen["artifact"], top + 1)
    for place, image in enumerate(seen["images"]):
        yield _image(image, sizes, told, top + 1, opened=place == 0)
    yield _missing(seen["missing"], top + 1)
    yield _attestations(seen["attestations"], top + 1)
    yield _others(seen["others"], top + 1)


def _heading(level: int, text: str, class_: str = "title") -> Html:
    return element(f"h{level}", text, class_=class_)


def _name(seen: Seen) -> str:
    reference = seen["reference"]
    if not reference:
        return str(seen["store"])
    return f"{seen['store']}{'@' if reference == seen['digest'] else ':'}{reference}"


# --- the head


def _head(seen: Seen, sizes: Sizes, top: int) -> Html:
    subject = seen["subject"]
    rows = facts(
        [
            ("digest", code(seen["digest"])),
            ("media type", code(seen["mediaType"])),
            ("written by", _written_by_dreg(seen)),
            ("artifact", code(seen["artifact"]["type"]) if seen["artifact"] else None),
            ("attached to", joined([code(subject["digest"]), code(subject["mediaType"])], " ") if subject else None),
            ("platforms", ", ".join(seen["platforms"]) or None),
            ("problems", _weighed(seen.get("problems"))),
        ]
    )
    return element("header", _heading(top, _name(seen), "name"), _figures(seen, sizes), rows)


def _figures(seen: Seen, sizes: Sizes) -> Html:
    """The numbers that are asked for first."""
    alone = f"{size(sizes.apart)}, each platform alone" if sizes.apart != sizes.in_all else None
    figures = [
        (counted(len(seen["platforms"]), "platform"), None) if seen["platforms"] else None,
        (counted(sizes.layers, "blob" if seen["artifact"] else "layer"), "each counted once"),
        (f"{size(sizes.in_all)} in all", alone),
        (f"{size(seen['size'])} document", "the manifest or index itself"),
    ]
    items = [_figure(*figure) for figure in figures if figure]
    return element("ul", *items, class_="figures")


def _figure(text: str, about: str | None) -> Html:
    number, _, noun = text.partition(" ")
    unit, _, rest = noun.partition(" ")
    # "1.1 KiB in all" is a number with its unit, "3 platforms" a number with its noun.
    strong, weak = (f"{number} {unit}", rest) if rest else (number, noun)
    small = element("small", about) if about else None
    return element("li", element("strong", strong), " ", element("span", weak), small)


def _written_by_dreg(seen: Seen) -> str | None:
    if not seen["writtenByDreg"]:
        return None
    return "dreg, from the archive: the digest names nothing in a registry"


# --- what is wrong


def _weighed(problems: Iterable[Seen] | None) -> str | None:
    if problems is None:
        return None
    count = Counter(_severity(problem) for problem in problems)
    return ", ".join(counted(count[severity], severity) for severity in _SEVERITIES if count[severity]) or "none"


def _severity(problem: Seen) -> str:
    return problem["severity"] if problem["severity"] in _SEVERITIES else "note"


def _problems(problems: Iterable[Seen] | None, level: int) -> Html | None:
    """Problems by document, in the order in which they come."""
    if not problems:
        return None
    documents: dict[tuple[str, str | None], list[Seen]] = {}
    for problem in problems:
        documents.setdefault((problem["document"], problem["digest"]), []).append(problem)
    blocks = [
        joined([_heading(level + 1, of, "subtitle"), code(digest or ""), element("ul", *map(_problem, found))])
        for (of, digest), found in documents.items()
    ]
    return element("section", _heading(level, "Problems"), *blocks, class_="problems")


def _problem(problem: Seen) -> Html:
    severity = _severity(problem)
    return element(
        "li",
        element("p", element("b", severity), " ", link(problem["rule"], problem["url"]), " ", code(problem["path"])),
        element("p", "found ", code(problem["found"]), ", expected ", problem["expected"]),
        element("p", problem["clause"], class_="dim"),
        class_=severity,
    )


# --- a platform


class Told:
    """Tables that stand on the page already: the images of one index share much, and once is enough."""

    def __init__(self) -> None:
        self._owners: dict[tuple[tuple[str, str], ...], str] = {}

    def table(self, title: str, members: Mapping[str, str], owner: str, level: int) -> Html | None:
        """The members as a table, or where they stand; None where there are none."""
        if not members:
            return None
        key = tuple(members.items())
        if key in self._owners:
            return element("p", element("b", title), f" the same {len(key)} as {self._owners[key]}", class_="same")
        self._owners[key] = f"the {title.lower()} of {owner}"
        rows = (cells(element("code", dotted(label)), code(value)) for label, value in key)
        body = table(("Name", "Value"), rows, "pairs")
        return folded(_counted_heading(level, title, len(key)), body, opened=len(key) <= 8)


def _counted_heading(level: int, title: str, count: int) -> Html:
    return element(f"h{level}", title, " ", element("small", f"{count:,}"), class_="subtitle")


def _image(image: Seen, sizes: Sizes, told: Told, level: int, *, opened: bool) -> Html:
    platform = image["platform"] or "an image of no platform"
    total = size(sum(layer["size"] for layer in layers_of(image)))
    title = element(f"h{level}", platform, " ", element("small", total), class_="title")
    body = [
        facts([("digest", code(image["digest"])), ("config", code(image["config"]))]),
        _history(image["layers"], sizes, level + 1),
        _config(image, level + 1),
        told.table("Labels", image["labels"], platform, level + 1),
        told.table("Annotations", image["annotations"], platform, level + 1),
    ]
    return folded(title, joined(body), opened=opened, class_="platform")


def _history(steps: list[Seen], sizes: Sizes, level: int) -> Html | None:
    if not steps:
        return None
    rows = (_step(place, step, sizes) for place, step in enumerate(steps, 1))
    body = table(("Step", "Instruction", "Size", "Created"), rows, "history")
    return folded(_counted_heading(level, "History", len(steps)), body, opened=True)


def _step(place: int, step: Seen, sizes: Sizes) -> Html:
    instruction = code(step["instruction"] or "(no history)")
    created = moment(step["created"] or "")
    if not step["digest"]:
        return cells(str(place), instruction, "no layer", created, class_="none")
    layer = element("div", mark_of(sizes, step["digest"]), code(step["digest"]), class_="blob dim")
    return cells(str(place), joined([instruction, layer]), size(step["size"]), created)


def _config(image: Seen, level: int) -> Html | None:
    lists = [("entrypoint", "entrypoint"), ("command", "cmd"), ("environment", "env")]
    words = [("user", "user"), ("directory", "workingDir"), ("created", "created"), ("author", "author")]
    more = [("ports", "exposedPorts"), ("volumes", "volumes")]
    pairs = [
        *((label, listed(image[key])) for label, key in lists),
        *((label, code(image[key]) if image[key] else None) for label, key in words),
        *((label, listed(image[key])) for label, key in more),
    ]
    rows = facts(pairs, "facts config")
    return folded(element(f"h{level}", "Config", class_="subtitle"), rows, opened=True) if rows else None


# --- what is beside the images


def _artifact(artifact: Seen, level: int) -> Html:
    rows = [
        _described("config", artifact["config"]),
        *(_described(f"layer {place}", layer) for place, layer in enumerate(artifact["layers"], 1)),
    ]
    body = table(("Part", "Content", "Size"), rows, "blobs")
    return element("section", _heading(level, "Content"), body)


def _described(part: str, found: Seen) -> Html:
    notes = facts(((label, code(value)) for label, value in found["annotations"].items()), "facts notes")
    content = [code(found["digest"]), element("div", code(found["artifactType"] or found["mediaType"])), notes]
    return cells(part, joined(content), size(found["size"]))


def _missing(missing: list[Seen], level: int) -> Html | None:
    rows = (cells(absent["platform"], absent["problem"]) for absent in missing)
    return _listing("Not here", missing, lambda: table(("Platform", "Problem"), rows, "pairs"), level)


def _attestations(attestations: list[Seen], level: int) -> Html | None:
    rows = (
        cells(
            found["platform"] or found["subject"] or "an image that it does not name",
            joined([code(found["digest"]), listed(found["predicates"] or [found["mediaType"]])]),
            size(found["size"]),
        )
        for found in attestations
    )
    return _listing("Attestations", attestations, lambda: table(("Of", "States", "Size"), rows, "blobs"), level)


def _others(others: list[Seen], level: int) -> Html | None:
    rows = (_described(str(place), found) for place, found in enumerate(others, 1))
    return _listing("Other entries", others, lambda: table(("Entry", "Content", "Size"), rows, "blobs"), level)


def _listing(title: str, entries: list[Seen], body: Callable[[], Html], level: int) -> Html | None:
    return element("section", _heading(level, title), body()) if entries else None
