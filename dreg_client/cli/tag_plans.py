"""`dreg plan`, `dreg apply` and `dreg undo`: policies, plans that were saved, and journals."""

from typing import Any

import click

from dreg_client.cli.change_options import FILE, Wanted, applying_options, planning_options, undo_options
from dreg_client.cli.command import Command
from dreg_client.cli.registry_options import connection_options


@click.command("plan", cls=Command)
@click.argument("file", metavar="FILE", type=FILE)
@click.option(
    "--explain", metavar="TAG", help="Print which rules did what with this tag, or with tags that match a glob."
)
@planning_options
@connection_options
def plan_command(file: str, explain: str | None, **options: Any) -> int:  # noqa: ANN401 (of any type)
    """Print what a policy would change.

    FILE is a TOML file that lists repositories and the rules for their tags, in order: retag, keep, prune, promote and
    untag. `dreg schema show tag-policy` prints its JSON Schema, for editors. Paths of layouts are relative to the
    current directory.

    With --plan, the plan is saved as JSON, so that it can be reviewed before `dreg apply` makes the changes. Nothing is
    changed by this command.

    JSON output is the plan. With --explain, it is a list of objects with repository, tag and
    sentences.

    \b
    Exit codes:
      1  Some tags could not be read.
      9  There is something to change, with --exit-code.

    \b
    Examples:
      dreg plan fixtures/policies/releases.toml
      dreg plan fixtures/policies/releases.toml --plan build/plan.json
      dreg plan fixtures/policies/releases.toml --explain nightly-20240520
    """
    from dreg_client.cli.change_jobs import explain_policy, plan_policy

    wanted = Wanted.of(options)
    if explain is not None:
        if wanted.plan_file is not None or wanted.exit_code:
            raise click.UsageError("--explain cannot be used with --plan or --exit-code")
        return explain_policy(file, explain, wanted)
    return plan_policy(file, wanted)


@click.command("apply", cls=Command)
@click.argument("file", metavar="FILE", type=FILE)
@applying_options
@connection_options
def apply_command(file: str, **options: Any) -> int:  # noqa: ANN401 (of any type)
    """Apply a plan or a policy, or continue after an interruption.

    FILE is a plan (JSON) that --plan has saved; a policy (TOML), which is planned first; or a journal, whose plan is
    continued. A plan contains names, tags and digests only, so it can be made on one machine, reviewed, and applied on
    another, whose credentials and options are used. Paths of layouts are relative to the current directory.

    Prints the changes; with --yes, makes them. Each tag is read again directly before it is changed, and all tags
    before images are deleted. Whatever has been changed since the plan was made is left as it is, and reported as a
    conflict. One failure stops nothing else. What is already as the plan wants it needs no change, so a plan can be
    applied again after a failure.

    With --journal, each change is recorded in a new file before it is made. After an interruption, `dreg apply JOURNAL
    --yes` makes the other changes. `dreg undo JOURNAL --yes` takes back what was done.

    JSON output is the plan. With --yes, it is an object with repositories, each with repository, done, already, failed
    and failure.

    \b
    Exit codes:
      1  Some tags could not be read or changed.
      7  Everything was a conflict.
      9  There is something to change, with --exit-code.

    \b
    Examples:
      dreg apply build/plan.json
      dreg apply build/plan.json --yes --journal build/applied.jsonl
      dreg apply build/applied.jsonl
      dreg apply fixtures/policies/releases.toml
    """
    from dreg_client.cli.change_jobs import apply_file

    return apply_file(file, Wanted.of(options))


@click.command("undo", cls=Command)
@click.argument("journal_file", metavar="JOURNAL", type=FILE)
@undo_options
@connection_options
def undo_command(journal_file: str, **options: Any) -> int:  # noqa: ANN401 (of any type)
    """Take back the changes that a journal records.

    JOURNAL is a file that --journal has written. Tags that were moved or removed name their images again; new tags are
    removed. Deleted images are put back as long as the registry still has their layers: until its garbage collection,
    or `dreg gc` in a layout.

    Images that were copied from another repository lose the tag that they got, but stay there, and so do the
    signatures that were copied with them. A registry deletes what has no tag when it collects garbage, if it is
    configured to; a layout, by `dreg gc`.

    Prints the changes; with --yes, makes them. A tag that no longer names what the journal says is left as it is, and
    reported as a conflict. What is done is recorded in the same journal; after an interruption, run the command again.

    JSON output is the plan. With --yes, it is an object with repositories, each with repository, done, already, failed
    and failure.

    \b
    Exit codes:
      1  Some changes could not be taken back.
      7  Everything was a conflict.
      9  There is something to undo, with --exit-code.

    \b
    Examples:
      dreg undo build/changes.jsonl
      dreg undo build/changes.jsonl --yes
    """
    from dreg_client.cli.change_jobs import run_undo

    return run_undo(journal_file, Wanted.of(options))
