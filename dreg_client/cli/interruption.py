"""Report on standard error what a command had done before a signal interrupted it."""

from collections.abc import Callable, Generator
from contextlib import contextmanager

from dreg_client.cli.output import put_error, visible
from dreg_client.cli.signals import signal_exit_code


@contextmanager
def reporting_interruption(outcome: Callable[[], str]) -> Generator[None, None, None]:
    """If a signal ends the command, write what was done and what was not; nothing if `outcome` is empty."""
    try:
        yield
    finally:  # not only for SystemExit: clean-up after a signal may raise another exception
        if signal_exit_code() and (text := outcome()):
            put_error(f"dreg: interrupted; {visible(text)}")
