"""The command line `dreg`: each command parses its arguments, calls the library and prints the result."""

try:
    from dreg_client.cli.signals import exit_on_signals
except KeyboardInterrupt:  # this import comes first, and until it is done there is no handler
    raise SystemExit(130) from None


def main() -> None:
    """Run `dreg`; without the extra `cli`, print how to install it."""
    exit_on_signals()
    try:
        from dreg_client.cli.app import run
    except ModuleNotFoundError as failure:
        if failure.name != "click":
            raise
        import sys

        if sys.stderr:
            message = "dreg: click is not installed; install the command line: pip install 'dreg-client[cli]'"
            sys.stderr.write(f"{message}\n")
        raise SystemExit(2) from None
    run()
