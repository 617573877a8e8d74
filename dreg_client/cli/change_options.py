"""Arguments and options of the commands that plan and apply changes of tags."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from dreg_client.cli.arguments import REPOSITORY_TYPE, format_option

if TYPE_CHECKING:
    from dreg_client.values.store_name import StoreName

F = TypeVar("F", bound=Callable[..., Any])
FILE: Final = click.Path(dir_okay=False)
_plan_option: Final = click.option(
    "--plan", metavar="FILE", type=FILE, help="Save the plan in this file as JSON, for dreg apply."
)
_yes_option: Final = click.option("--yes", "-y", is_flag=True, help="Make the changes instead of only printing them.")
_journal_option: Final = click.option(
    "--journal",
    metavar="FILE",
    type=FILE,
    help="With --yes: record each change in this new file, for dreg undo, and for dreg apply to continue.",
)
_exit_code_option: Final = click.option(
    "--exit-code", is_flag=True, help="Without --yes: exit with 9 if there is something to change."
)
_dry_exit_code_option: Final = click.option(
    "--exit-code", is_flag=True, help="Exit with 9 if there is something to change."
)
_quiet_option: Final = click.option("--quiet", "-q", is_flag=True, help="Print only what failed.")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to do with a plan.

    Attributes:
        output: The format of the output.
        plan_file: Where to save the plan.
        is_applied: Whether to apply it.
        journal: The journal to write.
        exit_code: Whether the exit code of a dry run tells if there is something to change.
        is_quiet: Whether to print only failures, unless the output is JSON.
    """

    output: str
    plan_file: str | None = None
    is_applied: bool = False
    journal: str | None = None
    exit_code: bool = False
    is_quiet: bool = False

    @classmethod
    def of(cls, options: dict[str, Any]) -> "Wanted":
        """Remove these options from the parameters of a command, and return what they say."""
        wanted = cls(
            options.pop("output"),
            options.pop("plan", None),
            options.pop("yes", False),
            options.pop("journal", None),
            options.pop("exit_code", False),
            options.pop("quiet", False),
        )
        if wanted.journal is not None and not wanted.is_applied:
            raise click.UsageError("--journal requires --yes: without it, nothing is changed")
        if wanted.exit_code and wanted.is_applied:
            raise click.UsageError("--exit-code cannot be used with --yes: it is for a dry run")
        return wanted


def change_options(command: F) -> F:
    """Add the options that say what to do with a plan."""
    return _added(command, _plan_option, _yes_option, _journal_option, _exit_code_option, _quiet_option, format_option)


def planning_options(command: F) -> F:
    """Add the options for a plan that another command applies."""
    return _added(command, _plan_option, _dry_exit_code_option, _quiet_option, format_option)


def applying_options(command: F) -> F:
    """Add the options that say whether to apply a plan that exists."""
    return _added(command, _yes_option, _journal_option, _exit_code_option, _quiet_option, format_option)


def undo_options(command: F) -> F:
    """Add the options that say whether to undo changes."""
    return _added(command, _yes_option, _exit_code_option, _quiet_option, format_option)


def _added(command: F, *options: Callable[[F], F]) -> F:
    return reduce(lambda added, option: option(added), reversed(options), command)


def _whole_repository(
    ctx: click.Context, _param: click.Parameter, given: "StoreName | tuple[StoreName, ...]"
) -> "StoreName | tuple[StoreName, ...]":
    for each in given if isinstance(given, tuple) else (given,):
        _check_whole(ctx, each)
    return given


def _check_whole(ctx: click.Context, source: "StoreName") -> None:
    """Raise an error if a name is not that of a repository or a layout, without a tag."""
    from dreg_client.cli.stores import reference_given, repository_name
    from dreg_client.errors import UnsupportedError
    from dreg_client.values.store_name import why_not_changed

    if reference := reference_given(source):
        advice = f"to choose tags, use --include; write {repository_name(source)}"
        if ctx.info_name == "usage":
            advice = f"write {repository_name(source)}"
        raise click.BadParameter(f"expected a repository or a layout without {reference!r}; {advice}")
    if source.kind not in {"registry", "oci"} and ctx.info_name != "usage":
        raise UnsupportedError(f"{source} cannot be changed: {why_not_changed(source)}")


def repository_argument(name: str, metavar: str, *, several: bool = False) -> Callable[[F], F]:
    """Return an argument for a repository or a layout, without a tag; or several of them."""
    settings: dict[str, Any] = {"nargs": -1, "required": True} if several else {}
    return click.argument(name, metavar=metavar, type=REPOSITORY_TYPE, callback=_whole_repository, **settings)
