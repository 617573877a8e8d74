"""An image for people: what `dreg inspect` prints, readable in 80 columns."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from dreg_client.cli.text import styled, visible, wrapped
from dreg_client.images.view import byte_size, full_name

Lines = Iterator[str]
Seen = dict[str, Any]
_COLUMN: Final = 15
_SIZE: Final = 10
_TITLE: Final = "org.opencontainers.image.title"


class _Blocks:
    """What was shown in several lines, so that it need not be shown again: images of one index share much."""

    def __init__(self) -> None:
        self._shown: dict[tuple[str, ...], str] = {}

    def lines(self, label: str, rows: list[str], whose: str) -> Lines:
        """The rows beside a label, or where they stand already."""
        key = tuple(rows)
        if len(rows) > 1 and key in self._shown:
            rows = [f"the same as {self._shown[key]}"]
        self._shown.setdefault(key, f"the {label} of {whose}")
        for row in rows:
            yield _fact(label, row)
            label = ""


def lines(seen: Seen) -> Lines:
    """What is shown, line by line."""
    blocks = _Blocks()
    yield styled(visible(full_name(seen)), "bold")
    yield from _document(seen)
    yield from blocks.lines("annotations", _pairs(seen["annotations"]), "the index")
    if seen["artifact"]:
        yield from _section("content", [_content(layer) for layer in seen["artifact"]["layers"]])
    for image in seen["images"]:
        yield ""
        yield styled(visible(image["platform"] or "an image of no platform"), "bold")
        yield from _manifest(image, seen["digest"], blocks)
        yield from _config(image, blocks)
        yield from _layers(image)
    for absent in seen["missing"]:
        yield from ("", styled(visible(absent["platform"]), "bold"), _fact("not here", absent["problem"]))
    yield from _section("attestations", [_attestation(found) for found in seen["attestations"]])
    yield from _section("other entries", [_content(found) for found in seen["others"]])
    yield from _section("problems", [_problem(found) for found in seen["problems"]])


def _document(seen: Seen) -> Lines:
    yield f"  digest {seen['digest']}"
    if seen["artifact"]:
        yield f"  config {seen['artifact']['config']['digest']}"
        yield _fact("artifact", seen["artifact"]["type"])
    yield _fact("media type", f"{seen['mediaType']}, {byte_size(seen['size'])}")
    if seen["writtenByDreg"]:
        yield _fact("", "dreg wrote this manifest from the archive: its digest names nothing in a registry")
    if seen["platforms"]:
        yield _fact("platforms", ", ".join(seen["platforms"]))
    if seen["subject"]:
        yield _fact("attached to", seen["subject"]["digest"])


def _fact(label: str, text: str) -> str:
    return f"  {label:<{_COLUMN - 2}}{wrapped(visible(text), _COLUMN)}"


def _pairs(members: Mapping[str, str]) -> list[str]:
    return [f"{name} = {value}" for name, value in members.items()]


def _section(title: str, entries: list[list[str]]) -> Lines:
    if entries:
        yield ""
        yield styled(title, "bold")
        for entry in entries:
            yield from entry


def _content(descriptor: Seen) -> list[str]:
    title = descriptor["annotations"].get(_TITLE)
    about = ", ".join(filter(None, (descriptor["artifactType"] or descriptor["mediaType"], title)))
    return [
        f"  {descriptor['digest']}",
        f"{byte_size(descriptor['size']):>{_SIZE}}  {wrapped(visible(about), _SIZE + 2)}",
    ]


def _attestation(found: Seen) -> list[str]:
    of = found["platform"] or found["subject"] or "an image that it does not name"
    stated = ", ".join(found["predicates"]) or found["mediaType"]
    return [
        f"  {found['digest']}",
        f"{byte_size(found['size']):>{_SIZE}}  {wrapped(visible(f'of {of}: {stated}'), _SIZE + 2)}",
    ]


def _problem(found: Seen) -> list[str]:
    where = f"  {found['severity']} {found['rule']} in {found['document']} at {found['path']}"
    said = f"found {found['found']}, expected {found['expected']}"
    return [visible(where), f"    {wrapped(visible(said), 4)}"]


def _manifest(image: Seen, told: str, blocks: _Blocks) -> Lines:
    """What its manifest says, where that was not told already."""
    if image["digest"] != told:
        yield f"  digest {image['digest']}"
        yield from blocks.lines("annotations", _pairs(image["annotations"]), _owner(image))


def _config(image: Seen, blocks: _Blocks) -> Lines:
    yield f"  config {image['config']}"
    for label, key in (("created", "created"), ("author", "author"), ("user", "user"), ("directory", "workingDir")):
        if image[key]:
            yield _fact(label, image[key])
    for label, key in (("entrypoint", "entrypoint"), ("command", "cmd")):
        if image[key]:
            yield _fact(label, " ".join(map(_quoted, image[key])))
    for label, key in (("ports", "exposedPorts"), ("volumes", "volumes")):
        if image[key]:
            yield _fact(label, ", ".join(image[key]))
    yield from blocks.lines("environment", image["env"], _owner(image))
    yield from blocks.lines("labels", _pairs(image["labels"]), _owner(image))


def _owner(image: Seen) -> str:
    return image["platform"] or "the image"


def _layers(image: Seen) -> Lines:
    count = sum(step["digest"] is not None for step in image["layers"])
    yield _fact("layers", f"{count}, {byte_size(image['size'])} in all")
    yield from map(step_line, image["layers"])


def step_line(step: Seen) -> str:
    """A step of how an image was made: the size of its layer, its digest cut short, its instruction."""
    shown = byte_size(step["size"]) if step["digest"] else "-"
    encoded = step["digest"].partition(":")[2][:12] if step["digest"] else ""
    indent = _SIZE + 16
    return f"{shown:>{_SIZE}}  {encoded:<12}  {wrapped(visible(step['instruction'] or '(no history)'), indent)}"


def _quoted(word: str) -> str:
    return word if word and not set(word) & set(" \t\n\"'") else repr(word)
