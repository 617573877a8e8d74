"""`dreg` for shells, run by the process that forks: `python -IS forked_dreg.py CHANNEL ARGUMENT...`.

It starts in a tenth of the time that an interpreter takes which imports the command line.
"""

import json
import os
import resource
import socket
import sys
from collections.abc import Mapping, Sequence

LIMITS = [name for name in dir(resource) if name.startswith("RLIMIT_")]


def as_message(
    arguments: Sequence[str], *, environment: Mapping[str, str], folder: str, umask: int | None = None
) -> bytes:
    """What tells the process that forks what to run; umask and limits are those of this process."""
    command = {
        "arguments": list(arguments),
        "environment": dict(environment),
        "folder": folder,
        "umask": _umask() if umask is None else umask,
        "limits": {kind: resource.getrlimit(getattr(resource, kind)) for kind in LIMITS},
    }
    return json.dumps(command).encode()


def _umask() -> int:
    """This process's umask, which can only be read by changing it."""
    umask = os.umask(0o077)
    os.umask(umask)
    return umask


def main(channel: int, *arguments: str) -> int:
    """Run a command with this process's streams; return its exit code as shells know it."""
    our_report, its_report = os.pipe()
    message = as_message(arguments, environment=os.environ, folder=os.getcwd())  # noqa: PTH109 (pathlib starts slowly)
    with socket.socket(fileno=channel) as to_server:
        socket.send_fds(to_server, [message], [0, 1, 2, its_report])
    os.close(its_report)
    with os.fdopen(our_report, "rb") as report:
        code = int(report.read().split()[1])
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), *sys.argv[2:]))
