"""`dreg completion`."""

import click
from click.shell_completion import get_completion_class


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion_command(ctx: click.Context, shell: str) -> None:
    """Print the completion script of a shell.

    \b
    Example:
      dreg completion bash > ~/.local/share/bash-completion/completions/dreg
    """
    complete = get_completion_class(shell)
    if complete is None:
        message = f"there is no completion for {shell}"
        raise click.UsageError(message)
    root = ctx.find_root()
    click.echo(complete(root.command, {}, "dreg", "_DREG_COMPLETE").source())
