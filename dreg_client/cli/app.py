"""The group of commands, each imported when it is called, and what becomes of errors."""

import os
import signal
import sys
from importlib import import_module
from typing import Any, Final, NoReturn

import click

from dreg_client.cli.exits import BUG, INTERRUPTED, USAGE, exit_code

COMMANDS: Final = {
    "validate": ("validate", "Check stored manifests, dumps and layouts against the specification."),
    "inspect": ("inspect", "Show an image: platforms, layers and what made them, environment, labels."),
    "tags": ("reading", "List the tags of a store."),
    "resolve": ("reading", "Print the digest that a tag names."),
    "manifest": ("reading", "Print a manifest or index, byte for byte."),
    "config": ("reading", "Print an image's config, byte for byte."),
    "platforms": ("reading", "List the platforms of an image."),
    "history": ("reading", "Show the steps that made an image, with the size of each."),
    "blob": ("reading", "Print a blob, checked against its digest."),
    "completion": ("completion", "Print the completion script of a shell."),
    "version": ("version", "Print the versions of dreg and of what it stands on."),
}


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """The names of all commands, in the order of their table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import one command."""
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"dreg_client.cli.{COMMANDS[cmd_name][0]}")
        command: click.Command = getattr(module, f"{cmd_name}_command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the commands without importing any of them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in COMMANDS.items()])


def _print_version(ctx: click.Context, _param: click.Parameter, value: bool) -> None:  # noqa: FBT001
    if value:
        from dreg_client import __version__  # noqa: PLC0415

        click.echo(f"dreg {__version__}")
        ctx.exit()


@click.command(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog="Exit codes: 0 done, 1 something that was checked does not hold, 2 usage, 4 not found, 5 other bytes than "
    "were asked for or unsafe ones, 7 conflict, 8 not offered, 70 a bug of dreg, 130 interrupted.",
)
@click.option("--debug", is_flag=True, help="Show where an error comes from.")
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_print_version, help="Print the version.")
@click.pass_context
def dreg(ctx: click.Context, debug: bool) -> None:  # noqa: FBT001
    """Read, check and look into OCI and Docker images.

    A store is named by its kind: oci:PATH[:TAG|@DIGEST], oci-archive:FILE[:TAG], docker-archive:FILE[:REF|:@INDEX].
    """
    ctx.obj = {"debug": debug}


def run(arguments: list[str] | None = None) -> NoReturn:
    """Run the command line and leave with its exit code."""
    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, _terminate)
    words = sys.argv[1:] if arguments is None else arguments
    try:
        result: Any = dreg.main(args=words, prog_name="dreg", standalone_mode=False)
        code = result if isinstance(result, int) else 0
    except click.exceptions.Exit as leaving:
        code = leaving.exit_code
    except (click.Abort, KeyboardInterrupt):
        code = INTERRUPTED
    except click.ClickException as failure:
        code = _tell(failure.format_message(), type(failure).__name__, USAGE, words)
        if isinstance(failure, click.UsageError) and failure.ctx and not _wants_json(words):
            click.echo(f"Try '{failure.ctx.command_path} --help'.", err=True)
    except Exception as failure:  # noqa: BLE001 (the roof: nothing leaves but an exit code)
        code = _failed(failure, words)
    sys.stdout.flush()
    sys.exit(code)


def _terminate(_signal: int, _frame: object) -> NoReturn:
    raise SystemExit(143)


def _failed(failure: Exception, words: list[str]) -> int:
    if "--debug" in words or os.environ.get("DREG_DEBUG"):
        import traceback  # noqa: PLC0415

        traceback.print_exception(failure)
    code = exit_code(failure)
    message = str(failure)
    if code == BUG:
        message = f"this is a bug of dreg, {type(failure).__name__}: {failure}; run again with --debug and report it"
    return _tell(message, type(failure).__name__, code, words)


def _tell(message: str, name: str, code: int, words: list[str]) -> int:
    from dreg_client.cli.text import visible  # noqa: PLC0415

    if _wants_json(words):
        import json  # noqa: PLC0415

        click.echo(json.dumps({"error": name, "message": message, "exit_code": code}), err=True)
    else:
        click.echo(f"dreg: {visible(message)}", err=True)
    return code


def _wants_json(words: list[str]) -> bool:
    return any(word == "--format=json" for word in words) or any(
        pair == ("--format", "json") for pair in zip(words, words[1:], strict=False)
    )
