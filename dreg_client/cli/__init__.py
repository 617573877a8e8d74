"""The command line `dreg`: parse, one library call, print."""

import sys


def main() -> None:
    """Run `dreg`. Without the extra `cli` it says in one line how to get it."""
    try:
        import click  # noqa: F401, PLC0415 (only to see whether it is there)
    except ImportError:
        sys.stderr.write("dreg needs the extra 'cli': pip install 'dreg-client[cli]'\n")
        raise SystemExit(2) from None
    from dreg_client.cli.app import run  # noqa: PLC0415

    run()
