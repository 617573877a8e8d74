"""`dreg schema` and `dreg rule`: the JSON Schemas of documents, and the rules that documents are checked against."""

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
from click.shell_completion import CompletionItem

from dreg_client.cli.arguments import format_option
from dreg_client.cli.command import Command, Group
from dreg_client.cli.output import put, put_json, put_result, styled, visible, wrapped
from dreg_client.cli.parsed_type import ParsedType
from dreg_client.models.kinds import KIND_NAMES

if TYPE_CHECKING:
    from dreg_client.schemagen import Mode, RuleEntry

_NAMES: Final = (*KIND_NAMES, "manifest", "sync-file", "sync-plan", "tag-policy", "tag-plan", "tag-journal")
_OTHER_NAMES: Final = {
    **dict.fromkeys(("ls", "names"), "use dreg schema list"),
    **dict.fromkeys(("cat", "get", "print"), "use dreg schema show"),
    **dict.fromkeys(("dump", "export", "generate", "save"), "use dreg schema write"),
    **dict.fromkeys(("diff", "verify"), "use dreg schema check"),
    "validate": "to compare schemas with the models, use dreg schema check; to validate documents, use dreg validate",
}
"""What other tools call the commands of `dreg schema`, with what to use instead."""
_folder = click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))


@click.group("schema", cls=Group, no_args_is_help=False, other_names=_OTHER_NAMES)
def schema_command() -> None:
    """List, print, write or check the JSON Schemas of documents.

    There are schemas (draft 2020-12) for manifests, indexes, configs, layouts and descriptors, and for files that dreg
    itself reads: those of `dreg sync`, and policies and plans of tags. They accept all documents that dreg accepts, and
    reject invalid ones as far as JSON Schema can express the rules. To validate documents, use `dreg validate`.

    \b
    Examples:
      dreg schema list
      dreg schema show oci-manifest
      dreg schema write build/schemas
      dreg schema check schemas
    """


@schema_command.command("list")
@format_option
def list_command(output: str) -> None:
    """List the names of the schemas, and the documents they describe.

    \b
    Examples:
      dreg schema list
      dreg schema list --format json
    """
    from dreg_client.schemagen import schema

    schemas = {name: schema(name) for name in _NAMES}
    put_result(
        output,
        [{"name": name, "title": found["title"], "id": found["$id"]} for name, found in schemas.items()],
        (f"{name:<22}{found['title']}" for name, found in schemas.items()),
    )


@schema_command.command("show")
@click.argument("name", type=click.Choice(_NAMES), metavar="NAME")
@click.option(
    "--mode",
    type=click.Choice(["validation", "serialization"]),
    default="validation",
    help="Describe what dreg accepts (validation) or what it writes (serialization). Default: validation.",
)
def show_command(name: str, mode: "Mode") -> None:
    """Print a schema.

    `dreg schema list` prints the names. The schema `manifest` accepts any manifest or index; use it in editors.

    \b
    Examples:
      dreg schema show oci-manifest
      dreg schema show manifest --mode serialization
    """
    from dreg_client.schemagen import schema, text

    put(text(schema(name, mode=mode)).removesuffix("\n"))


@schema_command.command("write")
@_folder
def write_command(folder: Path) -> None:
    """Write all schemas to a directory.

    Writes DIR/NAME.json for each schema, and DIR/serialization/NAME.json if dreg writes a narrower form than it
    accepts. Files that are up to date are not written.

    \b
    Example:
      dreg schema write build/schemas
    """
    from dreg_client import schemagen

    written = schemagen.write(folder)
    put(*(visible(f"wrote {path}") for path in written))
    if not written:
        put(visible(f"{folder} is up to date"))


@schema_command.command("check")
@_folder
def check_command(folder: Path) -> int:
    """Compare the schemas in a directory with those of this version.

    Prints the differences.

    \b
    Exit codes:
      0  All schemas are up to date.
      1  A schema is missing or out of date.

    \b
    Example:
      dreg schema check schemas
    """
    from dreg_client import schemagen
    from dreg_client.cli.error_messages import INVALID

    stale = schemagen.check(folder)
    for found in stale:
        put(visible(f"{found.path} {found.reason}"), *(visible(f"  {line}") for line in found.difference.splitlines()))
    if stale:
        put(visible(f"{len(stale)} files are out of date; run: dreg schema write {folder}"))
        return INVALID
    put(visible(f"{folder} is up to date"))
    return 0


class _RuleId(ParsedType):
    """The id of a rule, which shells complete."""

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG002 (click calls it so)
        """Complete the ids of rules."""
        from dreg_client.cli.completed_names import rule_ids

        return rule_ids(incomplete)


@click.command("rule", cls=Command)
@click.argument("rule", metavar="ID", type=_RuleId("id", str), default="")
@format_option
def rule_command(rule: str, output: str) -> None:
    """Explain a validation rule, and how to fix a document that breaks it.

    ID is the id of a rule in a report of `dreg validate`, such as DSC-02, in upper or lower case. The explanation says
    why the rule exists, and has an example that breaks it and one that follows it.

    All rules are listed at https://djmattyg007.github.io/dreg-client/rules/.

    \b
    Examples:
      dreg rule DSC-02
      dreg rule GEN-08 --format json
    """
    from dreg_client.schemagen import rules

    entry = rules().get(rule.upper())
    if entry is None:
        raise click.UsageError(_no_rule(rule, rules()))
    if output == "json":
        put_json(entry.plain())
        return
    _put_entry(entry)


def _no_rule(wanted: str, known: Collection[str]) -> str:
    """Return the error for a missing or unknown id: the ids with the same prefix, or where all rules are."""
    from dreg_client.errors.problems import SITE

    prefix = wanted.upper().partition("-")[0]
    similar = [rule for rule in known if rule.partition("-")[0] == prefix]
    reason = f"unknown rule {wanted!r}" if wanted else "missing id of a rule, such as DSC-02"
    if similar:
        return f"{reason}; the rules with {prefix} are: {', '.join(similar)}"
    prefixes = sorted({rule.partition("-")[0] for rule in known})
    return f"{reason}; ids begin with {', '.join(prefixes)}; all rules are listed at {SITE}rules/"


def _put_entry(entry: "RuleEntry") -> None:
    """Print the entry of a rule as its page in the documentation has it."""
    put(styled(wrapped(f"{entry.id}: {entry.title}", 0), "bold"))
    parts = {
        "severity": entry.verdict,
        "source": entry.clause,
        "quote": entry.quote and f'"{entry.quote}"',
        "why": entry.why,
        "note": entry.note,
        "lenient": entry.readable and f"With strict=False, {entry.readable}.",
        "writers": entry.writers,
        "schemas": entry.beyond_schema,
        "fix": entry.fix,
    }
    for label, text in parts.items():
        if text:
            put(f"  {label:<10}{wrapped(text, 12)}")
    for label, example in (("Example that breaks it:", entry.bad), ("Valid example:", entry.good)):
        lines = [wrapped(example, 4)] if entry.of == "words" else example.splitlines()
        if example:
            put(f"  {label}", *(f"    {line}" for line in lines))
    put(f"  {entry.url}")
