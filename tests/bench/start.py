"""Start-up time of whole processes."""

import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from statistics import median

from tables import in_turn, ratios, spread, table, verdict

_ROUNDS = 20
_MANIFEST = Path(__file__).parents[2] / "fixtures" / "valid" / "oci-manifest.json"
_DREG = "from dreg_client.cli import program; program()"
_NOTHING = "python -c pass"
_COMMANDS = {
    _NOTHING: ["-c", "pass"],
    "import dreg_client": ["-c", "import dreg_client"],
    "import click": ["-c", "import click"],
    "dreg --help": ["-c", _DREG, "--help"],
    "import pydantic": ["-c", "from pydantic import BaseModel"],
    "dreg validate FILE": ["-c", _DREG, "validate", str(_MANIFEST)],
}


def tables() -> Iterator[str]:
    """Yield the tables of this suite."""
    rounds = in_turn({name: partial(_run, given) for name, given in _COMMANDS.items()}, rounds=_ROUNDS)
    rows: list[list[str]] = []
    for name, found in rounds.items():
        against, most = ("import click", 1.5) if name == "dreg --help" else (_NOTHING, None)
        times = ratios(rounds, name, against)
        target = verdict(median(times), most=most)
        rows.append([f"`{name}`", f"{median(found) * 1e3:.0f}", spread(times), f"`{against}`", target])
    yield table("Start-up time of whole processes", ["what", "milliseconds", "ratio", "against", "target"], rows)


def _run(arguments: list[str]) -> None:
    subprocess.run([sys.executable, *arguments], capture_output=True, check=True)
