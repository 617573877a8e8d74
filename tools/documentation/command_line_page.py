"""The page of the command line, generated from what each command's `--help` prints."""

import re
from collections.abc import Iterable, Iterator, Mapping
from textwrap import dedent
from typing import Final

import click

from documentation.pages import MARK
from dreg_client.cli.app import GROUPS, dreg
from dreg_client.cli.command import (
    GENERAL,
    OWN,
    REGISTRY,
    CommandWithCommands,
    Context,
    options_by_section,
    takes_source,
)
from dreg_client.cli.overview import ENVIRONMENT, EXIT_CODES, SOURCES

_KEEPS_ITS_LINES: Final = "\b\n"
_TOP: Final = """# Command line

To install the command `dreg`, run `pip install '.[cli]'` in a checkout. `dreg COMMAND --help` and `dreg help COMMAND`
print the same text as this page. `dreg completion SHELL` prints a completion script for bash, zsh or fish.

Data goes to standard output; warnings, progress and errors go to standard error. An error is one line, or one line of
JSON with `--format json`.

To see where an error comes from, use `--debug`. To authenticate, use [`dreg login`](#dreg-login) or the
[registry options](#registry-options). [Credentials, certificates, proxies](../guides/credentials.md) has the details.
"""


def command_line_page() -> str:
    """Return the page, in Markdown: what all commands share, then a section for each command."""
    context = Context(dreg, info_name="dreg", **dreg.context_settings)
    parts = [_TOP.rstrip(), "## Commands", *_overview(), *_shared(context)]
    for name in dreg.list_commands(context):
        parts += _sections(f"dreg {name}", _command(dreg, context, name), context, 2)
    return MARK + "\n\n".join(parts) + "\n"


def _overview() -> Iterator[str]:
    """Yield the commands by what they are for."""
    for title, commands in GROUPS.items():
        summaries = {name: _escaped(summary) for name, (_, summary) in commands.items()}
        rows = {f"[`dreg {name}`](#dreg-{name.replace(' ', '-')})": text for name, text in summaries.items()}
        yield f"**{title}**\n\n{_table(('command', 'description'), rows)}"


def _shared(context: click.Context) -> Iterator[str]:
    """Yield what holds for all commands: names of images, exit codes, environment variables, options."""
    yield f"## Names of images\n\n{_table(('SOURCE', 'description'), _code(SOURCES))}"
    yield f"## Exit codes\n\n{_table(('exit code', 'meaning'), EXIT_CODES)}"
    yield f"## Environment variables\n\n{_table(('variable', 'meaning'), _code(ENVIRONMENT))}"
    options = options_by_section(_command(dreg, context, "inspect"), context)
    text = "All commands that read or change a registry have these options."
    yield f"## Registry options\n\n{text}\n\n{_options(options[REGISTRY])}"
    text = "All commands have these options. `dreg --version` prints the version."
    yield f"## General options\n\n{text}\n\n{_options(options[GENERAL])}"


def _command(group: click.Group, context: click.Context, name: str) -> click.Command:
    command = group.get_command(context, name)
    assert command is not None  # noqa: S101 (it was listed)
    return command


def _sections(name: str, command: click.Command, parent: click.Context, level: int) -> Iterator[str]:
    """Yield the section of a command, then those of its subcommands."""
    context = Context(command, parent=parent, info_name=name.rpartition(" ")[2])
    yield f"{'#' * level} {name}"
    yield f"```text\n{' '.join([name, *_usage(command)])}\n```"
    yield from _paragraphs(command.help or "")
    if takes_source(command):
        yield "[SOURCE](#names-of-images) is an image in a registry, a layout or an archive."
    options = options_by_section(command, context)
    if own := [option for option in options.get(OWN, []) if _is_own(option)]:
        yield _options(own)
    yield f"Also accepts {_others(options.get(REGISTRY, []))}the [general options](#general-options)."
    if isinstance(command, CommandWithCommands):
        for inner in command.summaries:
            yield from _sections(f"{name} {inner}", command.get_command(inner), context, level + 1)
    if isinstance(command, click.Group):
        for inner in command.list_commands(context):
            yield from _sections(f"{name} {inner}", _command(command, context, inner), context, level + 1)


def _is_own(option: click.Option) -> bool:
    return not {"--debug", "--help"} & {*option.opts}


def _others(options: list[click.Option]) -> str:
    """Return which registry options a command has: all, or those of connections."""
    if not options:
        return ""
    if any("--anonymous" in option.opts for option in options):
        return "the [registry options](#registry-options) and "
    names = ", ".join(f"`{option.opts[0]}`" for option in options)
    return f"these [registry options](#registry-options): {names}; and "


def _usage(command: click.Command) -> Iterator[str]:
    """Yield the words after the command; those that click generates differ between its versions."""
    yield "[OPTIONS]"
    for argument in command.params:
        if isinstance(argument, click.Argument):
            metavar = argument.metavar or (argument.name or "").upper()
            yield metavar if argument.required or metavar.startswith("[") else f"[{metavar}]"
    if isinstance(command, click.Group):
        yield "COMMAND [ARGS]..."


def _paragraphs(text: str) -> Iterator[str]:
    for paragraph in re.split(r"\n\s*\n", text.strip()):
        kept = paragraph.partition(_KEEPS_ITS_LINES)[2]
        yield _kept_lines(dedent(kept)) if kept else _escaped(" ".join(paragraph.split()))


def _kept_lines(text: str) -> str:
    """Return a paragraph that keeps its lines: its title, if it has one, and a block."""
    title, _, block = text.rstrip().partition("\n")
    if title.startswith("Exit codes"):
        rows = (line.split(maxsplit=1) for line in dedent(block).splitlines())
        return _table(("exit code", "meaning"), {code: _escaped(meaning) for code, meaning in rows})
    language = "bash" if title.startswith("Example") else "text"
    return f"{title}\n\n```{language}\n{dedent(block)}\n```"


def _escaped(text: str) -> str:
    """Escape what Markdown would take for markup, except in code."""
    parts = re.split(r"(`[^`]*`)", text)
    return "".join(part if part.startswith("`") else _escaped_text(part) for part in parts)


def _escaped_text(text: str) -> str:
    return re.sub(r"([*_|])", r"\\\1", text.replace("<", "&lt;").replace(">", "&gt;"))


def _code(rows: Mapping[str, str]) -> dict[str, str]:
    # A `|` would end the cell of a table, also in Markdown's code.
    return {
        ", ".join(f"<code>{name.replace('|', '&#124;')}</code>" if "|" in name else f"`{name}`" for name in names): text
        for names, text in ((term.split(", "), _escaped(text)) for term, text in rows.items())
    }


def _options(options: Iterable[click.Option]) -> str:
    return _table(("option", "description"), dict(map(_row, options)))


def _row(option: click.Option) -> tuple[str, str]:
    names = ", ".join(f"`{name}`" for name in option.opts)
    metavar = "" if option.is_flag else f" `{option.metavar or option.type.name.upper()}`"
    if isinstance(option.type, click.Choice) and option.metavar is None:
        metavar = f" {' or '.join(f'`{choice}`' for choice in option.type.choices)}"
    return names + metavar, _escaped(option.help or "")


def _table(head: tuple[str, str], rows: Mapping[str, str]) -> str:
    lines = [head, ("---", "---"), *rows.items()]
    return "\n".join(f"| {term} | {text} |" for term, text in lines)
