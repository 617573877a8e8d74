"""Single commands on a registry, as whole processes, compared with `import httpx`."""

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from contest import Target, contest, process, result

from tests.registries import EMPTY_INDEX, running

_HTTPX = "`import httpx`"
_DREG = "from dreg_client.cli import program; program()"


def tables() -> Iterator[str]:
    """Yield the tables of this suite."""
    with tempfile.TemporaryDirectory() as folder, running(Path(folder)) as own:
        own.put("bench/tags", "one", dict(EMPTY_INDEX))
        own.put_blob("bench/tags", b"{}")
        yield _commands(own.address)


def _commands(address: str) -> str:
    name = f"{address}/bench/tags"
    digest = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
    given = {
        "`dreg resolve`": ("-c", _DREG, "resolve", f"{name}:one"),
        "`dreg tags`": ("-c", _DREG, "tags", name),
        "`dreg repos`": ("-c", _DREG, "repos", address),
        "`dreg blob`": ("-c", _DREG, "blob", name, digest),
        "`dreg version`": ("-c", _DREG, "version"),
        "`from dreg_client import Registry`": ("-c", "from dreg_client import Registry"),
        _HTTPX: ("-c", "import httpx"),
        "`import httpx2`": ("-c", "import httpx2"),
    }
    found = contest({what: process(sys.executable, *arguments) for what, arguments in given.items()}, rounds=11)
    targets = {"`dreg resolve`": [Target("wall", most=1.8)]}
    return result("One command on a registry, whole processes", found, against=_HTTPX, targets=targets)
