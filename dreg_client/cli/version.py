"""`dreg version`."""

import platform
from importlib.metadata import version

import click


@click.command("version")
def version_command() -> None:
    """Print the versions of dreg and of what it stands on.

    \b
    Example:
      dreg version
    """
    for name in ("dreg-client", "pydantic", "orjson", "click"):
        click.echo(f"{name} {version(name)}")
    click.echo(f"Python {platform.python_version()} on {platform.system()} {platform.machine()}")
