"""`dreg schema`: the JSON Schemas of the documents that dreg reads."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from dreg_client.cli.sources import format_option
from dreg_client.cli.text import put, put_json
from dreg_client.models.kinds import KIND_NAMES

if TYPE_CHECKING:
    from dreg_client.schemagen import Mode, Stale

NAMES: Final = (*KIND_NAMES, "manifest")
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

    titles = {name: schema(name)["title"] for name in NAMES}
    if output == "json":
        put_json([{"name": name, "title": title, "id": schema(name)["$id"]} for name, title in titles.items()])
        return
    for name, title in titles.items():
        put(f"{name:<22}{title}")


@schema_command.command("show")
@click.argument("name", type=click.Choice(NAMES), metavar="NAME")
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
    for path in written:
        put(f"wrote {path}")
    if not written:
        put(f"{folder} is current")


@schema_command.command("check")
@_folder
def check_command(folder: Path) -> int:
    """Compare the schemas in a folder with the models; exit with 1 and print the differences if any is stale.

    \b
    Example:
      dreg schema check schemas
    """
    from dreg_client import schemagen
    from dreg_client.cli.failures import INVALID

    stale = schemagen.check(folder)
    for found in stale:
        _put_stale(found)
    if stale:
        put(f"{len(stale)} files are not current; run: dreg schema write {folder}")
        return INVALID
    put(f"{folder} is current")
    return 0


def _put_stale(found: "Stale") -> None:
    put(f"{found.path} {found.reason}")
    for line in found.difference.splitlines():
        put(f"  {line}")
