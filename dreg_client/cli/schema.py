"""`dreg schema` and `dreg rule`: the JSON Schemas of documents, and the rules that documents are checked against."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from dreg_client.cli.arguments import format_option
from dreg_client.cli.output import put, put_json, put_result, styled, wrapped
from dreg_client.models.kinds import KIND_NAMES

if TYPE_CHECKING:
    from dreg_client.schemagen import Mode

_NAMES: Final = (*KIND_NAMES, "manifest")
_folder = click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))


@click.group("schema", no_args_is_help=False)
def schema_command() -> None:
    """Print or write JSON Schemas (draft 2020-12) of manifests, indexes, configs, layouts and descriptors.

    A schema accepts each document that dreg accepts, and refuses what it refuses as far as JSON Schema can say it.

    \b
    Examples:
      dreg schema list
      dreg schema show oci-manifest
      dreg schema check schemas
    """


@schema_command.command("list")
@format_option
def list_command(output: str) -> None:
    """List the schemas: their names and what each is of.

    \b
    Example:
      dreg schema list
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
    show_default=True,
    help="validation: what is accepted; serialization: what is written.",
)
def show_command(name: str, mode: "Mode") -> None:
    """Print a schema.

    NAME is one of those that `dreg schema list` gives; `manifest` accepts any manifest or index, for editors.

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
    """Write all schemas into a folder: NAME.json, and serialization/NAME.json where what is written differs.

    \b
    Example:
      dreg schema write build/schemas
    """
    from dreg_client import schemagen

    written = schemagen.write(folder)
    put(*(f"wrote {path}" for path in written))
    if not written:
        put(f"{folder} is up to date")


@schema_command.command("check")
@_folder
def check_command(folder: Path) -> int:
    """Compare the schemas in a folder with the models; exit with 1 and print the differences if any is stale.

    \b
    Example:
      dreg schema check schemas
    """
    from dreg_client import schemagen
    from dreg_client.cli.error_messages import INVALID

    stale = schemagen.check(folder)
    for found in stale:
        put(f"{found.path} {found.reason}", *(f"  {line}" for line in found.difference.splitlines()))
    if stale:
        put(f"{len(stale)} files are out of date; run: dreg schema write {folder}")
        return INVALID
    put(f"{folder} is up to date")
    return 0


@click.command("rule")
@click.argument("rule", metavar="ID")
@format_option
def rule_command(rule: str, output: str) -> None:
    """Explain a rule that a report names: why it is there, what breaks it, what follows it, how to mend it.

    \b
    Examples:
      dreg rule DSC-02
      dreg rule GEN-08 --format json
    """
    from dreg_client.schemagen import rules

    entry = rules().get(rule.upper())
    if entry is None:
        raise click.BadParameter(f"unknown rule {rule}; rules have ids such as DSC-02", param_hint="ID")
    if output == "json":
        put_json(entry.plain())
        return
    put(styled(f"{entry.id}: {entry.title}", "bold"))
    told = {"verdict": entry.verdict, "from": entry.clause, "why": entry.why, "fix": entry.mend}
    if entry.readable:
        told["readable"] = f"with strict=False, {entry.readable}"
    for label, text in told.items():
        put(f"  {label:<9}{wrapped(text, 11)}")
    for label, example in (("wrong", entry.bad), ("right", entry.good)):
        put(f"  {label}", *(f"    {line}" for line in example.splitlines()))
    put(f"  {entry.url}")
