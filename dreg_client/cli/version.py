"""`dreg version`: print the versions of dreg, its dependencies and the platform."""

import platform
from importlib.metadata import PackageNotFoundError, version

import click

from dreg_client import __version__
from dreg_client.cli.arguments import format_option
from dreg_client.cli.command import Command
from dreg_client.cli.output import put_result


@click.command("version", cls=Command)
@format_option
def version_command(output: str) -> None:
    """Print the versions of dreg and its dependencies.

    Include them when you report a bug. `dreg --version` prints only the version of dreg.

    \b
    Examples:
      dreg version
      dreg version --format json
    """
    versions = {"dreg-client": __version__}
    versions |= {name: _version(name) for name in ("pydantic", "orjson", "httpx", "httpx2", "click", "rich")}
    versions |= {"Python": platform.python_version(), "platform": f"{platform.system()} {platform.machine()}"}
    put_result(output, versions, (f"{name} {number}" for name, number in versions.items()))


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "(not installed)"
