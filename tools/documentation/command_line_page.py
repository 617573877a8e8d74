"""The page of the command line, generated from what each command's `--help` prints."""

import re
from collections.abc import Iterator
from textwrap import dedent
from typing import Final

import click

from documentation.pages import MARK
from dreg_client.cli.app import dreg

_KEEPS_ITS_LINES: Final = "\b\n"
_TOP: Final = """# Command line

`pip install '.[cli]'` installs `dreg`. Only data goes to standard output; warnings, progress and errors go to standard
error. `dreg COMMAND --help` prints what this page says; `dreg completion SHELL` prints a script that completes commands
and options.
"""


def command_line_page() -> str:
    """Return the page, in Markdown: a section for each command."""
    return MARK + "\n\n".join([_TOP.rstrip(), *_sections("dreg", dreg, 2)]) + "\n"


def _sections(name: str, command: click.Command, level: int) -> Iterator[str]:
    """Yield the section of a command, then those of its subcommands."""
    context = click.Context(command, info_name=name)
    yield f"{'#' * level} {name}"
    yield f"```text\n{' '.join([name, *_usage(command)])}\n```"
    yield from _paragraphs(command.help or "")
    if rows := [_row(option) for option in command.params if isinstance(option, click.Option)]:
        yield "\n".join(["| option | description |", "| --- | --- |", *rows])
    if command.epilog:
        yield command.epilog
    if isinstance(command, click.Group):
        for inner in command.list_commands(context):
            below = command.get_command(context, inner)
            assert below is not None  # noqa: S101 (it was listed)
            yield from _sections(f"{name} {inner}", below, min(level + 1, 3))


def _usage(command: click.Command) -> Iterator[str]:
    """Yield the words after the command; those that click generates differ between its versions."""
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
    """Return a paragraph that keeps its lines: its title, if it has one, and a block."""
    title, _, block = text.rstrip().partition("\n")
    return f"{title}\n\n```text\n{dedent(block)}\n```"


def _escaped(text: str) -> str:
    return re.sub(r"([<>*_|])", r"\\\1", text)


def _row(option: click.Option) -> str:
    names = ", ".join(f"`{name}`" for name in option.opts)
    metavar = "" if option.is_flag else f" `{option.metavar or option.type.name.upper()}`"
    if isinstance(option.type, click.Choice) and option.metavar is None:
        metavar = f" {' or '.join(f'`{choice}`' for choice in option.type.choices)}"
    default = f" Default: `{option.default}`." if option.show_default else ""
    return f"| {names}{metavar} | {_escaped(option.help or '')}{default} |"
