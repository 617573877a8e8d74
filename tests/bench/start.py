"""What a start costs, whole processes."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from tables import in_turn, ratios, spread, table

_ROUNDS = 20
_MANIFEST = Path(__file__).parents[2] / "fixtures" / "valid" / "oci-manifest.json"
_DREG = "from dreg_client.cli import main; main()"


def tables() -> Iterator[str]:
    """All tables of this suite."""
    commands = {
        "python -c pass": ["-c", "pass"],
        "import dreg_client": ["-c", "import dreg_client"],
        "import click": ["-c", "import click"],
        "dreg --help": ["-c", _DREG, "--help"],
        "import pydantic": ["-c", "from pydantic import BaseModel"],
        "dreg validate FILE": ["-c", _DREG, "validate", str(_MANIFEST)],
    }
    rounds = in_turn(
        {name: lambda a=arguments: _run(a) for name, arguments in commands.items()}, number=1, rounds=_ROUNDS
    )
    limits = {"dreg --help": ("import click", "1.5"), "import dreg_client": ("python -c pass", "")}
    rows = []
    for name, found in rounds.items():
        against, most = limits.get(name, ("python -c pass", ""))
        rows.append(
            [f"`{name}`", f"{median(found) * 1e3:.0f}", spread(ratios(rounds, name, against)), f"`{against}`", most]
        )
    yield table("Starting, whole processes", ["what", "milliseconds", "ratio", "against", "at most"], rows)


def _run(arguments: list[str]) -> None:
    subprocess.run([sys.executable, *arguments], capture_output=True, check=True)
