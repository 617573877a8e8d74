"""The options that choose tags, shared by the commands that list, copy, add and delete tags."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

import click

from dreg_client.cli.parsed_type import ParsedType

if TYPE_CHECKING:
    from dreg_client.copying.tag_filter import TagFilter

F = TypeVar("F", bound=Callable[..., Any])


def _checked(name: str) -> Callable[[str], str]:
    """Return a function that checks the value of a filter."""

    def check(text: str) -> str:
        from dreg_client.copying.tag_filter import TagFilter

        TagFilter(**{name: text})  # type: ignore[arg-type]
        return text

    return check


def checked_glob(text: str) -> str:
    """Return a glob; raise ValueError if it is too long."""
    from dreg_client.copying.tag_filter import TagFilter

    TagFilter(include=(text,))
    return text


def tag_options(verb: str, *, digest_tags: bool = True) -> Callable[[F], F]:
    """Return the options; `verb` is what is done with the tags that are chosen, such as `List`.

    Without `digest_tags`, there is no option to omit digest tags, which the command never chooses.
    """

    def add(command: F) -> F:
        if digest_tags:
            help_text = "Omit digest tags, such as sha256-HEX.sig."
            command = click.option("--no-digest-tags", is_flag=True, help=help_text)(command)
        for option in reversed([*_filters(verb)]):
            command = option(command)
        return command

    return add


def _filters(verb: str) -> Iterator[Callable[[Any], Any]]:
    glob = ParsedType("glob", checked_glob)
    settings: dict[str, Any] = {"multiple": True, "metavar": "GLOB", "type": glob}
    only = f"{verb} only tags that match, such as '1.*'. Can be repeated."
    yield click.option("--include", help=only, **settings)
    yield click.option("--exclude", help="Omit tags that match, such as '*-rc*'. Can be repeated.", **settings)
    yield click.option(
        "--regex",
        metavar="REGEX",
        type=ParsedType("regex", _checked("regex")),
        help=f"{verb} only tags that a regular expression matches as a whole.",
    )
    yield click.option(
        "--semver",
        type=ParsedType("range", _checked("semver")),
        metavar="RANGE",
        help=f"{verb} only versions in a range, in npm syntax: '^1.4', '>=1.2 <2'.",
    )


def tag_filter(options: dict[str, Any]) -> "TagFilter":
    """Remove the options that choose tags from the parameters of a command, and return the filter."""
    from dreg_client.copying.tag_filter import TagFilter

    return TagFilter(
        digest_tags=not options.pop("no_digest_tags", True),
        **{name: options.pop(name) for name in ("include", "exclude", "regex", "semver")},
    )
