"""Starts and leaves groups of threads for some seconds, while interrupts come; prints what it saw as JSON.

Arguments: the seconds, and how many interrupts may come until a group is left.
"""

import json
import random
import signal
import sys
import threading
import time
from collections import Counter
from types import FrameType

from dreg_client._sync._compat import Event, Semaphore, TaskGroup, new_lock, sleep
from dreg_client._sync._threads import current

LONG = 60.0
lock, permits = new_lock(), Semaphore(1)
allowed = 0


def interrupt(_: int, __: FrameType | None) -> None:
    """Raise as Python does, but between groups."""
    global allowed  # noqa: PLW0603 (a signal's handler has no other place)
    if allowed:
        allowed -= 1
        raise KeyboardInterrupt


def hold_the_lock() -> None:
    with lock:
        sleep(LONG)


def hold_the_permit() -> None:
    if permits.acquire(LONG):
        try:
            sleep(LONG)
        finally:
            permits.release()


def work_in_a_group() -> None:
    with TaskGroup() as group:
        for function in (hold_the_lock, hold_the_lock, hold_the_permit, hold_the_permit, Event().wait):
            group.start_soon(function)
        if random.random() < 0.5:  # noqa: S311 (any moment will do)
            time.sleep(0.001)
        if random.random() < 0.5:  # noqa: S311 (any moment will do)
            group.cancel()  # else only an interrupt ends them


def play(interrupts: int) -> str:
    global allowed  # noqa: PLW0603 (as above)
    try:
        try:
            allowed = interrupts
            work_in_a_group()
        finally:
            allowed = 0
    except KeyboardInterrupt:
        return "interrupted"
    except BaseException as error:  # noqa: BLE001 (told)
        return repr(error)
    return "not interrupted"


def threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread is not threading.main_thread()]


def check() -> str:
    if threads():
        # The interrupt came before the first instruction of `__exit__`: they end once the group is gone.
        time.sleep(1)
    if left := threads():
        return f"left: {left}"
    sleep(0)
    with lock:
        if permits.free != 1 or current.get() is not None:
            return "a permit, or the context, is not as before"
    return "nothing left"


def main() -> None:
    seen = Counter[str]()
    seconds, interrupts = float(sys.argv[1]), int(sys.argv[2])
    signal.signal(signal.SIGINT, interrupt)
    print("ready", flush=True)  # noqa: T201 (the test reads it)
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        seen[play(interrupts)] += 1
        seen[check()] += 1
    print(json.dumps(seen), flush=True)  # noqa: T201 (the test reads it)


if __name__ == "__main__":
    main()
