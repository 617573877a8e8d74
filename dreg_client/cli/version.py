"""`dreg version`."""

import platform
from importlib.metadata import PackageNotFoundError, version

import click

from dreg_client import __version__
from dreg_client.cli.sources import format_option
from dreg_client.cli.text import put, put_json


@click.command("version")
@format_option
def version_command(output: str) -> None:
    """Print the versions of dreg and of what it stands on: what a report of a bug begins with.

    \b
    Example:
      dreg version
    """
    versions = {"dreg-client": __version__}
    versions |= {name: _version(name) for name in ("pydantic", "orjson", "httpx", "httpx2", "click", "rich")}
    versions |= {"Python": platform.python_version(), "platform": f"{platform.system()} {platform.machine()}"}
    if output == "json":
        put_json(versions)
        return
    for name, number in versions.items():
        put(f"{name} {number}")


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "(none)"
