"""The command line `dreg`: parse, one library call, print."""

from dreg_client.cli.signals import leave_on_signals


def main() -> None:
    """Run `dreg`. Without the extra `cli` it says in one line how to get it."""
    leave_on_signals()
    try:
        from dreg_client.cli.app import run
    except ModuleNotFoundError as failure:
        if failure.name != "click":
            raise
        import sys

        sys.stderr.write("dreg: its command line is an extra; get it with: pip install 'dreg-client[cli]'\n")
        raise SystemExit(2) from None
    run()
