"""The command group, which imports each command when it is called, and the exit code of a run."""

import os
import sys
from importlib import import_module
from itertools import pairwise
from typing import Any, Final, NoReturn, TextIO

import click

from dreg_client.cli.command import COMPLETION, SOURCE, GeneralOption, Group
from dreg_client.cli.output import flush_output, put_error
from dreg_client.cli.signals import signal_exit_code

GROUPS: Final = {
    "Read images": {
        "inspect": ("inspect", "Show an image: platforms, layers, build steps, environment, labels."),
        "tags": ("read_commands", "List the tags of a repository, layout or archive."),
        "resolve": ("read_commands", "Print the digest of a tag."),
        "manifest": ("read_commands", "Print a manifest or index, byte for byte."),
        "config": ("read_commands", "Print the config of an image, byte for byte."),
        "platforms": ("read_commands", "List the platforms of an image."),
        "history": ("read_commands", "Show the build steps of an image, with the size of each layer."),
        "referrers": ("read_commands", "List the signatures, attestations and other referrers of an image."),
        "blob": ("blob", "Download a blob, and verify its digest."),
        "repos": ("registry_commands", "List the repositories of a registry."),
    },
    "Copy images": {
        "copy": ("copy", "Copy an image between registries, image layouts and archives."),
        "pull": ("copy", "Copy an image from a registry to an image layout."),
        "push": ("copy", "Copy an image from an image layout or an archive to a registry."),
        "sync": ("sync", "Copy the tags of a repository, or of a whole registry, that the destination does not have."),
    },
    "Validate documents": {
        "validate": ("validate", "Validate manifests, configs, layouts and repositories."),
        "report": ("report", "Summarize reports of dreg validate: number of documents, kinds and broken rules."),
        "rule": ("schema", "Explain a validation rule, and how to fix a document that breaks it."),
        "schema": ("schema", "List, print, write or check the JSON Schemas of documents."),
    },
    "Automate tags": {
        "retag": ("tag_rules", "Add or move tags that are made from other tags, such as 1.4, 1 and latest from 1.4.2."),
        "prune": ("tag_rules", "Remove old tags, and delete the images whose last tag is removed."),
        "promote": (
            "tag_rules",
            "Copy tags to another repository, under names that are made from them, such as 1.5.0 from 1.5.0-rc.2.",
        ),
        "plan": ("tag_plans", "Print what a policy would change."),
        "apply": ("tag_plans", "Apply a plan or a policy, or continue after an interruption."),
        "undo": ("tag_plans", "Take back the changes that a journal records."),
        "usage": ("usage", "Show the size of each tag, and what deleting it would free."),
    },
    "Change a registry or a layout": {
        "tag": ("registry_commands", "Add tags to an image in a registry or a layout."),
        "untag": ("registry_commands", "Delete a tag in a registry or a layout; the image and its other tags stay."),
        "delete": ("registry_commands", "Delete a manifest and all its tags, or a blob, in a registry or a layout."),
        "gc": ("gc", "Delete the blobs of a layout that no image needs."),
        "blob put": ("put_commands", "Upload a blob to a registry, unless it is there already."),
        "manifest put": ("put_commands", "Push a manifest or index to a registry, byte for byte."),
    },
    "Authenticate": {
        "login": ("registry_commands", "Log in to a registry."),
        "logout": ("registry_commands", "Log out of a registry."),
    },
    "More": {
        "help": ("help", "Print the help of a command."),
        "completion": ("completion", "Print a completion script for bash, zsh or fish."),
        "version": ("version", "Print the versions of dreg and its dependencies."),
    },
}
"""The commands as the help groups them: the module of each, and its summary."""
COMMANDS: Final = {name: found for commands in GROUPS.values() for name, found in commands.items()}


class _LazyGroup(Group):
    """A group whose commands are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click calls it so)
        return [name for name in COMMANDS if " " not in name]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 (as above)
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"dreg_client.cli.{COMMANDS[cmd_name][0]}")
        command: click.Command = getattr(module, f"{cmd_name.replace(' ', '_')}_command")
        return command

    def summaries(self, ctx: click.Context) -> dict[str, str]:
        """Return the summaries without importing any command."""
        return {name: COMMANDS[name][1] for name in self.list_commands(ctx)}

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find a command; for an unknown name, say which command to use."""
        if args[0] not in COMMANDS:
            from dreg_client.cli.suggestions import OTHER_NAMES

            self.other_names = OTHER_NAMES
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 (as above)
        """Write the commands in groups, without importing any of them."""
        for title, commands in GROUPS.items():
            with formatter.section(title):
                formatter.write_dl([(name.ljust(12), summary) for name, (_, summary) in commands.items()])

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 (as above)
        """Write the names of sources, the exit codes and the environment variables."""
        from dreg_client.cli import overview

        tables = {
            "Names of images (SOURCE)": overview.SOURCES,
            "Exit codes": overview.EXIT_CODES,
            "Environment variables": overview.ENVIRONMENT,
        }
        for title, rows in tables.items():
            with formatter.section(title):
                formatter.write_dl(rows.items())


def _print_version(ctx: click.Context, _param: click.Parameter, value: bool) -> None:
    if value:
        from dreg_client import __version__

        click.echo(f"dreg {__version__}")
        ctx.exit()


@click.command(
    cls=_LazyGroup,
    invoke_without_command=True,
    subcommand_metavar="COMMAND [ARGS]...",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option(
    "--version",
    cls=GeneralOption,
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Print the version.",
)
@click.pass_context
def dreg(ctx: click.Context) -> None:
    """Read, copy, validate and tag OCI and Docker images in registries, image layouts and archives.

    Run `dreg help COMMAND` for the options and examples of a command.

    \b
    Examples:
      # Show the platforms, layers and configuration of an image
      dreg inspect oci:fixtures/layouts/multi:1.4
      # List repositories, and the tags of a repository
      dreg repos localhost:5000
      dreg tags localhost:5000/acme/web
      # Print the digest of a tag, to pin it
      dreg resolve localhost:5000/acme/web:1.4
      # Add a tag to an image
      dreg tag localhost:5000/acme/web:1.4 latest
      # Copy an image from a registry to a layout
      dreg copy localhost:5000/acme/web:1.4 oci:build/copy
      # Validate stored documents and a layout
      dreg validate fixtures/valid oci:fixtures/layouts/multi
    """
    if ctx.invoked_subcommand is None:
        put_error(ctx.get_help())
        ctx.exit(2)


def run(arguments: list[str] | None = None) -> NoReturn:
    """Run the command line and exit with its exit code."""
    words = sys.argv[1:] if arguments is None else arguments
    _prepare_streams()
    instruction = os.environ.get(COMPLETION)
    if instruction:
        from dreg_client.cli.completion import complete

        code = complete(dreg, instruction)
    else:
        code = _exit_code(words)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:  # reported already; Python must not try again at its exit
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    sys.exit(signal_exit_code() or code)


def _prepare_streams() -> None:
    """Escape characters that the locale lacks. If a standard stream is closed, only writing to it fails.

    A closed stream gets a file in place: otherwise, the next file or socket would get its number, and what is written
    to the stream would go there. The lowest free number is used first, so the order counts.
    """
    if sys.stdin is None:  # pyright: ignore[reportUnnecessaryComparison] (so it is after `<&-`)
        os.open(os.devnull, os.O_RDONLY)
    if sys.stdout is None:  # pyright: ignore[reportUnnecessaryComparison] (as above)
        sys.stdout = _in_place(os.O_RDONLY)  # writing to it is an error, since the output would be lost
    if sys.stderr is None:  # pyright: ignore[reportUnnecessaryComparison] (as above)
        sys.stderr = _in_place(os.O_WRONLY)
    reconfigure = getattr(sys.stdout, "reconfigure", None)
    if reconfigure:
        reconfigure(errors="backslashreplace")


def _in_place(flags: int) -> TextIO:
    return open(os.open(os.devnull, flags), "w")  # noqa: PTH123 (it stays open until the process exits)


def _exit_code(words: list[str]) -> int:
    meta: dict[str, Any] = {}
    try:
        with dreg.make_context("dreg", list(words)) as ctx:
            meta = ctx.meta
            result: Any = dreg.invoke(ctx)
        flush_output()  # a command has succeeded only when its output is written
    except click.exceptions.Exit as failure:
        return failure.exit_code
    except BrokenPipeError:
        return 141  # as shells have it for a command that died of SIGPIPE
    except Exception as failure:  # noqa: BLE001 (every error becomes an exit code)
        return signal_exit_code() or _report(failure, words, meta.get(SOURCE, ""))
    return result if isinstance(result, int) else 0


def _report(failure: Exception, words: list[str], source: str) -> int:
    """Write an error to standard error, as options say, though the command line may not be valid.

    JSON names the source, if the command has only one.
    """
    from dreg_client.cli.error_messages import put_failure, put_traceback

    options = words[: words.index("--")] if "--" in words else words
    if "--debug" in options:
        put_traceback(failure)
    formats = [word.removeprefix("--format=") for word in options if word.startswith("--format=")]
    formats += [value for option, value in pairwise(options) if option == "--format"]
    as_json = bool(formats) and formats[-1] in {"json", "jsonl"}
    return put_failure(failure, as_json=as_json, source=source if as_json else "")
