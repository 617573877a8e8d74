"""The page of the command line in the documentation: what each command's `--help` says, in Markdown."""

import re
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING, Final

import click

from dreg_client.cli.app import dreg

if TYPE_CHECKING:
    from dreg_client.schemagen import Stale

_PAGE: Final = "reference/command-line.md"
_KEEPS_ITS_LINES: Final = "\b\n"
_TOP: Final = """<!-- Made by: dreg schema write schemas --docs docs -->

# Command line

`pip install '.[cli]'` installs `dreg`. Data goes to standard output, and nothing else does; warnings, progress and
errors go to standard error. `dreg COMMAND --help` shows what stands here; `dreg completion SHELL` prints a script that
completes commands and options.
"""


def write_help_page(docs: Path) -> "tuple[Path, ...]":
    """Write the page into the folder of the documentation, unless it is current."""
    from dreg_client.schemagen.folder import write_files

    return write_files(docs, {_PAGE: _page()})


def check_help_page(docs: Path) -> "tuple[Stale, ...]":
    """The page, where it is not what the commands say."""
    from dreg_client.schemagen.folder import check_files

    return check_files(docs, {_PAGE: _page()})


def _page() -> str:
    return "\n\n".join([_TOP.rstrip(), *_sections("dreg", dreg, 2)]) + "\n"


def _sections(name: str, command: click.Command, level: int) -> Iterator[str]:
    """What there is to say of a command, and of those below it."""
    context = click.Context(command, info_name=name)
    yield f"{'#' * level} {name}"
    yield f"```text\n{' '.join([name, *_usage(command)])}\n```"
    yield from _paragraphs(command.help or "")
    if rows := [_row(option) for option in command.params if isinstance(option, click.Option)]:
        yield "\n".join(["| option | what it does |", "| --- | --- |", *rows])
    if command.epilog:
        yield command.epilog
    if isinstance(command, click.Group):
        for inner in command.list_commands(context):
            below = command.get_command(context, inner)
            assert below is not None  # noqa: S101 (it was listed)
            yield from _sections(f"{name} {inner}", below, min(level + 1, 3))


def _usage(command: click.Command) -> Iterator[str]:
    """What stands behind the command; click's own words for it change with its versions."""
    yield "[OPTIONS]"
    for argument in command.params:
        if isinstance(argument, click.Argument):
            metavar = argument.metavar or (argument.name or "").upper()
            yield metavar if argument.required else f"[{metavar}]"
    if isinstance(command, click.Group):
        yield "COMMAND [ARGS]..."


def _paragraphs(text: str) -> Iterator[str]:
    for paragraph in re.split(r"\n\s*\n", text.strip()):
        kept = paragraph.partition(_KEEPS_ITS_LINES)[2]
        yield _kept_lines(dedent(kept)) if kept else _escaped(" ".join(paragraph.split()))


def _kept_lines(text: str) -> str:
    """A paragraph that keeps its lines: its title, where it has one, and a block."""
    title, _, block = text.rstrip().partition("\n")
    return f"{title}\n\n```text\n{dedent(block)}\n```"


def _escaped(text: str) -> str:
    return re.sub(r"([<>*_|])", r"\\\1", text)


def _row(option: click.Option) -> str:
    names = ", ".join(f"`{name}`" for name in option.opts)
    metavar = "" if option.is_flag else f" `{option.metavar or option.type.name.upper()}`"
    if isinstance(option.type, click.Choice) and option.metavar is None:
        metavar = f" {' or '.join(f'`{choice}`' for choice in option.type.choices)}"
    default = f" Without it: `{option.default}`." if option.show_default else ""
    return f"| {names}{metavar} | {_escaped(option.help or '')}{default} |"
