"""An image as text, readable in 80 columns."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from dreg_client.cli.output import styled, visible, wrapped
from dreg_client.images.view import byte_size, full_name, owner_of, time_of

Lines = Iterator[str]
View = dict[str, Any]
_COLUMN: Final = 15
_SIZE: Final = 10
_LONGEST: Final = 200


def _block(shown: dict[tuple[str, ...], str], label: str, rows: list[str], owner: str) -> Lines:
    """Yield the rows beside a label, or where they were shown already: images of one index share much."""
    key = tuple(rows)
    if len(rows) > 1 and key in shown:
        rows = [f"the same as {shown[key]}"]
    shown.setdefault(key, f"the {label} of {owner}")
    for row in rows:
        yield _fact(label, _cut(row))
        label = ""


def lines(seen: View) -> Lines:
    """Yield the lines of an image's view."""
    blocks: dict[tuple[str, ...], str] = {}
    yield styled(visible(full_name(seen)), "bold")
    yield from _document(seen)
    yield from _block(blocks, "annotations", _pairs(seen["annotations"]), owner_of(seen))
    if seen["artifact"]:
        yield from _section("content", [_content(layer) for layer in seen["artifact"]["layers"]])
    for image in seen["images"]:
        yield from _image(image, seen["digest"], blocks)
    for absent in seen["missing"]:
        yield from ("", styled(visible(absent["platform"]), "bold"), _fact("not here", absent["problem"]))
    for broken in seen["unreadable"]:
        yield from ("", styled(visible(broken["platform"] or "an entry of no platform"), "bold"))
        yield from (f"  digest {broken['digest']}", _fact("problem", f"cannot be read: {broken['problem']}"))
    yield from _section("attestations", [_attestation(found) for found in seen["attestations"]])
    yield from _section("other entries", [_content(found) for found in seen["others"]])
    yield from _section("problems", [_problem(found) for found in seen["problems"]])


def _document(seen: View) -> Lines:
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


def _cut(text: str) -> str:
    """Return the beginning of a text that is too long to be read: some labels hold whole documents."""
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}… ({len(text):,} characters; --format json has all)"


def _pairs(members: Mapping[str, str]) -> list[str]:
    return [f"{name} = {value}" for name, value in members.items()]


def _section(title: str, entries: list[list[str]]) -> Lines:
    if entries:
        yield from ("", styled(title, "bold"))
        for entry in entries:
            yield from entry


def _content(descriptor: View) -> list[str]:
    title = descriptor["annotations"].get("org.opencontainers.image.title")
    about = (descriptor["artifactType"] or descriptor["mediaType"], title, descriptor.get("platform"))
    return _entry(descriptor, ", ".join(filter(None, about)))


def _attestation(found: View) -> list[str]:
    subject = found["platform"] or found["subject"] or "an image that it does not name"
    return _entry(found, f"of {subject}: {', '.join(found['predicates']) or found['mediaType']}")


def _entry(found: View, about: str) -> list[str]:
    size = byte_size(found["size"])
    return [f"  {found['digest']}", f"{size:>{_SIZE}}  {wrapped(visible(about), _SIZE + 2)}"]


def _problem(found: View) -> list[str]:
    where = f"  {found['severity']} {found['rule']} in {found['document']} at {found['path']}"
    said = f"found {found['found']}, expected {found['expected']}"
    return [visible(where), f"    {wrapped(visible(said), 4)}"]


def _image(image: View, shown: str, blocks: dict[tuple[str, ...], str]) -> Lines:
    """Yield a platform's image; its manifest only if that is not the document that was shown."""
    owner = image["platform"] or "the image"
    yield from ("", styled(visible(image["platform"] or "an image of no platform"), "bold"))
    if image["digest"] != shown:
        yield f"  digest {image['digest']}"
        yield from _block(blocks, "annotations", _pairs(image["annotations"]), owner)
    yield f"  config {image['config']}"
    yield from _config(image)
    yield from _block(blocks, "environment", image["env"], owner)
    yield from _block(blocks, "labels", _pairs(image["labels"]), owner)
    yield _fact("layers", f"{len(image['layers'])}, {byte_size(image['size'])} in all")
    yield from map(step_line, image["history"])


def _config(image: View) -> Lines:
    if image["created"]:
        yield _fact("created", time_of(image["created"]))
    for label, key in (("author", "author"), ("user", "user"), ("directory", "workingDir")):
        if image[key]:
            yield _fact(label, _cut(image[key]))
    for label, key in (("entrypoint", "entrypoint"), ("command", "cmd")):
        if image[key]:
            words = (it if it and not set(it) & set(" \t\n\"'") else repr(it) for it in image[key])
            yield _fact(label, _cut(" ".join(words)))
    for label, key in (("ports", "exposedPorts"), ("volumes", "volumes")):
        if image[key]:
            yield _fact(label, _cut(", ".join(image[key])))


def step_line(step: View) -> str:
    """Return a step of an image's history: the size of its layer, its short digest, its instruction."""
    size = byte_size(step["size"]) if step["digest"] else "-"
    encoded = step["digest"].partition(":")[2][:12] if step["digest"] else ""
    instruction = wrapped(visible(step["instruction"] or "(no history)"), _SIZE + 16)
    return f"{size:>{_SIZE}}  {encoded:<12}  {instruction}"
