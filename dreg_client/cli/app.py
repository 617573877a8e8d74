"""The command group, which imports each command when it is called, and the exit code of a run."""

import os
import sys
from difflib import get_close_matches
from importlib import import_module
from itertools import pairwise
from typing import Any, Final, NoReturn

import click

from dreg_client.cli.output import flush_output
from dreg_client.cli.signals import signal_exit_code

COMMANDS: Final = {
    "validate": ("validate", "Check stored manifests, dumps and layouts against the specification."),
    "inspect": ("inspect", "Show an image: platforms, layers and what made them, environment, labels."),
    "tags": ("read_commands", "List the tags of a store."),
    "resolve": ("read_commands", "Print the digest that a tag names."),
    "manifest": ("read_commands", "Print a manifest or index, byte for byte."),
    "config": ("read_commands", "Print an image's config, byte for byte."),
    "platforms": ("read_commands", "List the platforms of an image."),
    "history": ("read_commands", "Show the steps that made an image, with the size of each."),
    "referrers": ("read_commands", "List what refers to an image, such as signatures."),
    "blob": ("blob", "Print a blob, checked against its digest."),
    "repos": ("registry_commands", "List the repositories of a registry."),
    "tag": ("registry_commands", "Give further tags to an image in a registry."),
    "untag": ("registry_commands", "Delete a tag in a registry."),
    "delete": ("registry_commands", "Delete a manifest, with all its tags, or a blob in a registry."),
    "login": ("registry_commands", "Log in to a registry."),
    "logout": ("registry_commands", "Log out of a registry."),
    "schema": ("schema", "Print or write the JSON Schemas of documents."),
    "rule": ("schema", "Explain a rule: why it is there, and how to mend what breaks it."),
    "completion": ("completion", "Print the completion script of a shell."),
    "version": ("version", "Print the versions of dreg and of what it stands on."),
}
_DEBUG: Final = "Show where an error comes from."
_COMPLETION: Final = "_DREG_COMPLETE"


class _LazyGroup(click.Group):
    """A group whose commands are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click calls it so)
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 (as above)
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"dreg_client.cli.{COMMANDS[cmd_name][0]}")
        command: click.Command = getattr(module, f"{cmd_name}_command")
        if not any(option.name == "debug" for option in command.params):
            command.params.append(click.Option(["--debug"], is_flag=True, expose_value=False, help=_DEBUG))
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; suggest a similar name for an unknown one, as click does for options."""
        name = args[0]
        if name not in COMMANDS and not ctx.resilient_parsing and (meant := get_close_matches(name, COMMANDS, 1)):
            ctx.fail(f"No such command {name!r}. Did you mean {meant[0]!r}?")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 (as above)
        """Write the commands without importing any of them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in COMMANDS.items()])


def _print_version(ctx: click.Context, _param: click.Parameter, value: bool) -> None:
    if value:
        from dreg_client import __version__

        click.echo(f"dreg {__version__}")
        ctx.exit()


@click.command(
    cls=_LazyGroup,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog="Exit codes: 0 done, 1 an invalid document, or some of several items failed, 2 usage, 3 credentials, "
    "4 not found, 5 other bytes than were asked for, or unsafe or unreadable ones, 6 network or registry, 7 one name "
    "for several things, 8 not offered, 70 a bug of dreg, 129, 130 and 143 interrupted.",
)
@click.option("--debug", is_flag=True, expose_value=False, help=_DEBUG)
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_print_version, help="Print the version."
)
@click.pass_context
def dreg(ctx: click.Context) -> None:
    """Read, check and look into OCI and Docker images.

    \b
    A store is named by its kind:
      REGISTRY/REPOSITORY[:TAG|@DIGEST]
                                       an image in a registry, as docker names it
      oci:PATH[:TAG|@DIGEST]           a folder with an OCI image layout
      oci-archive:FILE[:TAG|@DIGEST]   such a layout in a tar archive
      docker-archive:FILE[:REF|:@N]    what docker save writes; @0 is its first image

    \b
    Examples:
      dreg validate fixtures/valid oci:fixtures/layouts/multi
      dreg inspect oci:fixtures/layouts/multi:1.4
      dreg inspect localhost:5000/acme/web:1.4
    """
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help(), err=True)
        ctx.exit(2)


def run(arguments: list[str] | None = None) -> NoReturn:
    """Run the command line and exit with its exit code."""
    words = sys.argv[1:] if arguments is None else arguments
    _prepare_output()
    instruction = os.environ.get(_COMPLETION)
    if instruction:
        from click.shell_completion import shell_complete

        sys.exit(shell_complete(dreg, {}, "dreg", _COMPLETION, instruction))
    code = _exit_code(words)
    try:
        sys.stdout.flush()
    except OSError:  # reported already; Python must not try again at its exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(signal_exit_code() or code)


def _prepare_output() -> None:
    """Escape characters that the locale lacks; if standard output is closed, let only writing to it fail."""
    if sys.stdout is None:  # pyright: ignore[reportUnnecessaryComparison] (so it is after `>&-`)
        unwritable = os.open(os.devnull, os.O_RDONLY)  # it takes the number that a socket would be given otherwise
        sys.stdout = open(unwritable, "w")  # noqa: SIM115, PTH123 (it stays open until the process exits)
    reconfigure = getattr(sys.stdout, "reconfigure", None)
    if reconfigure:
        reconfigure(errors="backslashreplace")


def _exit_code(words: list[str]) -> int:
    try:
        with dreg.make_context("dreg", list(words)) as ctx:
            result: Any = dreg.invoke(ctx)
        flush_output()  # a command has succeeded only when its output is written
    except click.exceptions.Exit as failure:
        return failure.exit_code
    except BrokenPipeError:
        return 141  # as shells have it for a command that died of SIGPIPE
    except Exception as failure:  # noqa: BLE001 (every error becomes an exit code)
        return signal_exit_code() or _report(failure, words)
    return result if isinstance(result, int) else 0


def _report(failure: Exception, words: list[str]) -> int:
    """Write an error to standard error, as options say, though the command line may not be valid."""
    from dreg_client.cli.error_messages import put_failure, put_traceback

    options = words[: words.index("--")] if "--" in words else words
    if "--debug" in options:
        put_traceback(failure)
    formats = [word.removeprefix("--format=") for word in options if word.startswith("--format=")]
    formats += [value for option, value in pairwise(options) if option == "--format"]
    return put_failure(failure, as_json=bool(formats) and formats[-1] in {"json", "jsonl"})
