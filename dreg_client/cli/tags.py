"""`dreg tags`: the tags of stores, all of them or those that are asked for."""

import re
from fnmatch import fnmatchcase
from importlib import import_module
from typing import TYPE_CHECKING, Final

import click

from dreg_client.cli.fan_out import show
from dreg_client.cli.sources import client_of, format_option, opened, sources_argument
from dreg_client.cli.text import put, put_json, visible

if TYPE_CHECKING:
    from collections.abc import Callable

    from dreg_client.values.store_name import StoreName

    Choice = Callable[[str], bool]

_DIGEST_TAG: Final = re.compile(r"(?:sha256-[0-9a-f]{64}|sha512-[0-9a-f]{128})(?:\..*)?", re.ASCII)
_VERSION: Final = re.compile(r"v?[0-9]{1,18}(?:\.[0-9]{1,18}){0,2}(?:-[0-9A-Za-z]+(?:[.-][0-9A-Za-z]+)*)?", re.ASCII)


def _read_range(_: click.Context, __: click.Parameter, value: str | None) -> "Choice | None":
    """Which tags are versions within a range."""
    if value is None:
        return None
    versions = import_module("semantic_version")
    try:
        within = versions.NpmSpec(value)
    except ValueError:
        message = f"{value!r} is no range of versions; write '^1.4', '~1.4', '1.x' or '>=1.2 <2'"
        raise click.BadParameter(message) from None
    return lambda tag: bool(_VERSION.fullmatch(tag)) and versions.Version.coerce(tag.removeprefix("v")) in within


@click.command("tags")
@sources_argument
@click.option("--include", multiple=True, metavar="GLOB", help="List only tags as '1.*'; may be repeated: any of them.")
@click.option("--exclude", multiple=True, metavar="GLOB", help="Leave out tags as '*-rc*'; may be repeated.")
@click.option(
    "--semver",
    "within",
    callback=_read_range,
    metavar="RANGE",
    help="List only versions within a range, as npm writes them: '^1.4', '>=1.2 <2'.",
)
@click.option("--no-digest-tags", is_flag=True, help="Leave out tags that stand for a digest, as sha256-....sig.")
@format_option
def tags_command(
    sources: "tuple[StoreName, ...]",
    *,
    include: tuple[str, ...],
    exclude: tuple[str, ...],
    within: "Choice | None",
    no_digest_tags: bool,
    output: str,
) -> int | None:
    """List the tags of a store; of several, each behind the name of its store.

    Globs have *, ? and [...], and tell upper case from lower. A range takes v1.4 for 1.4, and 1.4 for 1.4.0; versions
    with something behind, as 1.4-alpine, count as those before a release and are in few ranges.

    \b
    Examples:
      dreg tags oci:fixtures/layouts/multi
      dreg tags docker-archive:fixtures/archives/web.docker.tar --format json
      dreg tags oci:fixtures/layouts/multi --semver '^1.3' --no-digest-tags
    """

    def is_wanted(tag: str) -> bool:
        return (
            (not include or any(fnmatchcase(tag, glob) for glob in include))
            and not any(fnmatchcase(tag, glob) for glob in exclude)
            and (within is None or within(tag))
            and not (no_digest_tags and _DIGEST_TAG.fullmatch(tag))
        )

    def look(source: "StoreName") -> tuple[str, ...]:
        if source.is_named and _asked(source):
            raise click.UsageError(f"this lists all tags; name the store without {_asked(source)}")
        return tuple(filter(is_wanted, _tags(source)))

    first, *others = sources
    if others:
        return show(sources, output, look, _put_tags, lambda tags: {"tags": list(tags)}, called=_called)
    tags = look(first)
    if output == "json":
        put_json(list(tags))
    else:
        for tag in tags:
            put(visible(tag))
    return None


def _tags(source: "StoreName") -> tuple[str, ...]:
    if (reference := source.reference) is None or source.kind != "registry":
        with opened(source) as (store, _):
            return store.tags()
    from dreg_client._sync.lists import list_tags

    with client_of(source, reference) as client:
        return list_tags(client, reference.repository)


def _asked(source: "StoreName") -> str:
    from dreg_client.values.store_name import reference_of

    return reference_of(source)


def _put_tags(source: "StoreName", tags: tuple[str, ...]) -> None:
    name = _called(source)
    for tag in tags:
        put(visible(f"{name}:{tag}"))


def _called(source: "StoreName") -> str:
    """The store's name; what was asked of it belongs to that only where it was said, and is refused then."""
    if source.reference is None or source.kind != "registry" or source.is_named:
        return str(source)
    return f"{source.reference.registry}/{source.reference.repository}"
