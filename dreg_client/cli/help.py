"""`dreg help`: print the help of a command."""

import click
from click.shell_completion import CompletionItem

from dreg_client.cli.command import Command, CommandWithCommands, Context
from dreg_client.cli.parsed_type import ParsedType


class _CommandNames(ParsedType):
    """The words of a command, which shells complete."""

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Complete the next word of the command."""
        words = ctx.params.get(param.name or "") or ()
        found = _context(ctx.find_root(), words).command
        return found.shell_complete(ctx, incomplete) if isinstance(found, click.Group) else []


@click.command("help", cls=Command)
@click.argument("words", metavar="[COMMAND]...", nargs=-1, type=_CommandNames("command", str))
@click.pass_context
def help_command(ctx: click.Context, words: tuple[str, ...]) -> None:
    """Print the help of a command.

    \b
    Examples:
      dreg help
      dreg help inspect
      dreg help schema write
    """
    click.echo(_context(ctx.find_root(), words).get_help())


def _context(ctx: click.Context, words: tuple[str, ...]) -> click.Context:
    """Return the context of a command, for which click writes its help."""
    for word in words:
        if isinstance(ctx.command, CommandWithCommands) and word in ctx.command.summaries:
            ctx = Context(ctx.command.get_command(word), parent=ctx.parent, info_name=f"{ctx.info_name} {word}")
            continue
        if not isinstance(ctx.command, click.Group):
            ctx.fail(f"{ctx.command_path} has no command {word!r}")
        name, command, _ = ctx.command.resolve_command(ctx, [word])
        assert command is not None  # noqa: S101 (an unknown name is an error)
        ctx = Context(command, parent=ctx, info_name=name)
    return ctx
