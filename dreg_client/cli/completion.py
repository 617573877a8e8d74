"""`dreg completion`."""

import click
from click.shell_completion import get_completion_class


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion_command(ctx: click.Context, shell: str) -> None:
    """Print the completion script of a shell.

    Put its line in the file that your shell reads at its start: ~/.bashrc, ~/.zshrc, ~/.config/fish/config.fish.

    \b
    Examples:
      source <(dreg completion bash)
      dreg completion zsh > _dreg
      dreg completion fish > dreg.fish
    """
    script = get_completion_class(shell)
    assert script is not None  # noqa: S101 (click has all of these shells)
    click.echo(script(ctx.find_root().command, {}, "dreg", "_DREG_COMPLETE").source())
