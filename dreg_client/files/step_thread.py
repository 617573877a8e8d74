"""A thread that processes blocks in order."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Final

from dreg_client.values.sizes import KIBIBYTE
from dreg_client.values.waiting import wait_in_steps

Block = list[bytes | bytearray]
"""The bytes of a block, in pieces."""
_SMALL: Final = 4096
_JOINED: Final = 64 * KIBIBYTE


def add_piece(block: Block, piece: bytes) -> None:
    """Add a piece to a block. Small ones are joined, because each object takes more memory than its bytes."""
    last = block[-1] if block else b""
    if len(piece) >= _SMALL:
        block.append(piece)
    elif isinstance(last, bytearray) and len(last) < _JOINED:
        last += piece
    else:
        block.append(bytearray(piece))


class StepThread:
    """A thread that applies a function to blocks in order. It starts with the first block.

    After the function has failed once, further calls of it must do nothing.

    `ThreadPoolExecutor` is not safe here: if Ctrl-C arrives while it starts a thread, its `shutdown` fails ("cannot
    join thread before it is started"), and the thread keeps writing to a file that is then closed.
    """

    def __init__(self, function: Callable[[Block], None]) -> None:
        self._function = function
        self._blocks: SimpleQueue[tuple[Future[None], Block] | None] = SimpleQueue()
        # The thread holds it while it runs. `close` acquires it to wait for the thread's end, or, if the start of the
        # thread was interrupted, to prevent it from running later.
        self._right_to_run = threading.RLock()
        self._is_started = False
        self._thread: threading.Thread | None = None

    def submit(self, block: Block) -> Future[None]:
        """Add a block. The future completes when the function has processed it, or raises the function's error."""
        future: Future[None] = Future()
        self._blocks.put((future, block))
        if not self._is_started:
            self._is_started = True
            threading.Thread(target=self._run, name="dreg-behind", daemon=True).start()
        return future

    def close(self) -> None:
        """Process the remaining blocks and end the thread. If this is interrupted, call it again in the same thread."""
        self._blocks.put(None)
        wait_in_steps(lambda seconds: self._right_to_run.acquire(timeout=seconds))
        if self._thread is not None:  # it has nothing left to do
            self._thread.join()

    def _run(self) -> None:
        if not self._right_to_run.acquire(blocking=False):
            return
        try:
            self._thread = threading.current_thread()
            while (work := self._blocks.get()) is not None:
                future, block = work
                try:
                    self._function(block)
                except BaseException as failure:  # noqa: BLE001 (the future raises it)
                    future.set_exception(failure)
                else:
                    future.set_result(None)
        finally:
            self._right_to_run.release()
