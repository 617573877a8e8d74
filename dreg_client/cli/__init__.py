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


def program() -> None:
    """Run `dreg` as a program of its own: like `main`, but at the end, the process exits without freeing each object.

    Python takes a fifth of the time of a short command for that. Files are closed, threads have ended, and the
    functions of `atexit` were called before.
    """
    import atexit
    from functools import partial

    codes: list[int] = []
    atexit.register(partial(_exit, codes))  # registered first, so it is called last
    try:
        main()
    except SystemExit as end:
        if isinstance(end.code, int):
            codes.append(end.code)
        raise


def _exit(codes: list[int]) -> None:
    if codes:
        import os
        import sys
        from contextlib import suppress

        for stream in filter(None, (sys.stdout, sys.stderr)):
            with suppress(OSError, ValueError):  # nothing reads it, or it is closed
                stream.flush()
        os._exit(codes[0])
