"""The classes of commands and options: click's, with grouped options in `--help`, and suggestions for wrong names."""

import re
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

import click

from dreg_client.cli.help_formatter import HelpFormatter

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

OWN: Final = "Options"
REGISTRY: Final = "Registry options"
GENERAL: Final = "General options"
SOURCE: Final = "dreg.source"
"""The key in `Context.meta` of the source of a command that has only one."""
COMPLETION: Final = "_DREG_COMPLETE"
"""The variable in which the script of a shell says what to complete."""
_CLICKS: Final = re.compile(r"  \[[^\[\]]*\]$")
"""The ranges and defaults that click appends to help texts, such as `[0<=x<=100]`. They are removed."""


class Context(click.Context):
    """A context whose help adapts to narrow terminals."""

    formatter_class: type[click.HelpFormatter] = HelpFormatter


class RegistryOption(click.Option):
    """An option for connecting to a registry."""


class GeneralOption(click.Option):
    """An option that every command has."""


class Command(click.Command):
    """A command of `dreg`."""

    context_class: type[click.Context] = Context

    def __init__(self, *args: Any, **settings: Any) -> None:  # noqa: ANN401 (as click has them)
        super().__init__(*args, **settings)
        self.params.append(_debug())

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments; reject empty ones, and say which option replaces an unknown one."""
        words = [*args]  # click removes those that it has parsed
        with _suggesting_option(self, ctx):
            rest = super().parse_args(ctx, args)
        if "" in words or any(word.endswith("=") for word in words):
            _reject_empty(self, ctx, words)
        return rest

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write how a SOURCE is named, and the options in groups."""
        if takes_source(self):
            from dreg_client.cli.overview import SOURCES

            with formatter.section("SOURCE is one of these"):
                formatter.write_dl(SOURCES.items())
        _write_options(self, ctx, formatter)


class CommandWithCommands(Command):
    """A command that also has commands of its own: `dreg blob SOURCE` prints a blob, `dreg blob put` uploads one.

    The first argument is the name of such a command, or else an argument of this one.
    """

    def __init__(self, *args: Any, module: str = "", summaries: Mapping[str, str], **settings: Any) -> None:  # noqa: ANN401
        """Create a command; `module` has the functions of the others, which `summaries` names and describes."""
        super().__init__(*args, **settings)
        self.module: str = module
        self.summaries: Mapping[str, str] = summaries

    def get_command(self, name: str) -> click.Command:
        """Import a command."""
        command: click.Command = getattr(import_module(self.module), f"{self.name}_{name}_command")
        return command

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,  # noqa: ANN401 (as click has them)
    ) -> click.Context:
        """Return the context of this command, or of the one that the first argument names."""
        if args and args[0] in self.summaries:
            name, *rest = args
            return self.get_command(name).make_context(f"{info_name} {name}", rest, parent, **extra)
        given = [*args]  # click removes those that it has parsed
        try:
            return super().make_context(info_name, args, parent, **extra)
        except click.UsageError as failure:
            from dreg_client.cli.suggestions import UNDER_COMMANDS

            if given and (advice := UNDER_COMMANDS.get(f"{self.name} {given[0]}")):
                raise click.UsageError(f"No such command '{self.name} {given[0]}'; {advice}", failure.ctx) from None
            raise

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the other commands, then the options."""
        with formatter.section("Commands"):
            formatter.write_dl([(f"{ctx.command_path} {name}", text) for name, text in self.summaries.items()])
        super().format_options(ctx, formatter)


class Group(click.Group):
    """A group of commands of `dreg`."""

    context_class: type[click.Context] = Context
    command_class: type[click.Command] | None = Command

    def __init__(self, *args: Any, other_names: Mapping[str, str] | None = None, **settings: Any) -> None:  # noqa: ANN401
        """Create a group; `other_names` are what other tools call its commands, with what to use instead."""
        super().__init__(*args, **settings)
        self.other_names: Mapping[str, str] = other_names or {}
        self.params.append(_debug())

    def summaries(self, ctx: click.Context) -> dict[str, str]:
        """Return the commands with their summaries."""
        found = {name: self.get_command(ctx, name) for name in self.list_commands(ctx)}
        return {name: (command.help or "").partition("\n")[0] for name, command in found.items() if command}

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments; say which option replaces an unknown one."""
        with _suggesting_option(self, ctx):
            return super().parse_args(ctx, args)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find a command; for an unknown name, say which command to use."""
        if args[0] not in self.list_commands(ctx) and not ctx.resilient_parsing:
            from dreg_client.cli.suggestions import unknown_command

            ctx.fail(unknown_command(args[0], self.list_commands(ctx), self.other_names))
        return super().resolve_command(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> "list[CompletionItem]":
        """Complete the names of commands and options."""
        from click.shell_completion import CompletionItem

        found = self.summaries(ctx).items()
        names = [CompletionItem(name, help=summary) for name, summary in found if name.startswith(incomplete)]
        return names + click.Command.shell_complete(self, ctx, incomplete)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands, then the options."""
        self.format_commands(ctx, formatter)
        _write_options(self, ctx, formatter)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands with their whole summaries."""
        with formatter.section("Commands"):
            formatter.write_dl(self.summaries(ctx).items())


def options_by_section(command: click.Command, ctx: click.Context) -> dict[str, list[click.Option]]:
    """Return the options of a command by the section of the help that shows them."""
    found: dict[str, list[click.Option]] = {OWN: [], REGISTRY: [], GENERAL: []}
    help_option = command.get_help_option(ctx)
    for option in command.get_params(ctx):
        if isinstance(option, RegistryOption):
            found[REGISTRY].append(option)
        elif isinstance(option, GeneralOption) or (help_option and option.opts == help_option.opts):
            assert isinstance(option, click.Option)  # noqa: S101 (both are)
            found[GENERAL].append(option)
        elif isinstance(option, click.Option):
            found[OWN].append(option)
    if not (found[OWN] or found[REGISTRY]):
        return {OWN: found[GENERAL]}
    return {section: options for section, options in found.items() if options}


def takes_source(command: click.Command) -> bool:
    """Return whether a command has the argument SOURCE, which may be any store."""
    types = [argument.type.name for argument in command.params if str(argument.metavar or "").startswith("SOURCE")]
    return "source" in types


def help_record(option: click.Option, ctx: click.Context) -> tuple[str, str]:
    """Return how an option is written and what it does."""
    written, explained = option.get_help_record(ctx) or ("", "")
    return written, _CLICKS.sub("", explained)


def _write_options(command: click.Command, ctx: click.Context, formatter: click.HelpFormatter) -> None:
    for section, options in options_by_section(command, ctx).items():
        with formatter.section(section):
            formatter.write_dl([help_record(option, ctx) for option in options])


def _reject_empty(command: click.Command, ctx: click.Context, words: list[str]) -> None:
    """Reject empty values, which unset variables of a shell have; an empty path would be the current directory."""
    if ctx.resilient_parsing:
        return
    given, _, _ = command.make_parser(ctx).parse_args(words)
    for param in command.get_params(ctx):
        value = given.get(param.name or "")
        if value == "" or (isinstance(value, (list, tuple)) and "" in value):
            raise click.BadParameter("must not be empty", ctx, param)


@contextmanager
def _suggesting_option(command: click.Command, ctx: click.Context) -> Generator[None, None, None]:
    """Name the option that replaces an unknown one in its error."""
    try:
        yield
    except click.NoSuchOption as failure:
        from dreg_client.cli.suggestions import unknown_option

        known = [name for option in command.get_params(ctx) for name in option.opts if name.startswith("-")]
        is_group = isinstance(command, click.Group)
        raise click.UsageError(unknown_option(failure.option_name, known, is_group=is_group), ctx) from None


def _debug() -> GeneralOption:
    return GeneralOption(
        ["--debug"], is_flag=True, expose_value=False, help="Log each request, and show a traceback for errors."
    )
