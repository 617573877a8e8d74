"""A thread that works on one block after another, in order."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue

Block = list[bytes]
"""The bytes of a block, in pieces."""


class StepThread:
    """Applies a function to blocks, in order, in a thread of its own, which starts with the first block.

    `ThreadPoolExecutor` does not fit: Ctrl-C while it starts a thread makes its `shutdown` fail ("cannot join thread
    before it is started"), and the thread goes on writing to a file that is closed then. After the function has failed
    once, it must do nothing.
    """

    def __init__(self, function: Callable[[Block], None]) -> None:
        self._function = function
        self._blocks: SimpleQueue[tuple[Future[None], Block] | None] = SimpleQueue()
        # Held by the thread for as long as it runs. `close` acquires it: that is to wait for the thread's end, or, if
        # the thread never began because its start was interrupted, to keep it from running later.
        self._right_to_run = threading.RLock()
        self._is_started = False
        self._thread: threading.Thread | None = None

    def submit(self, block: Block) -> Future[None]:
        """Add a block; the future ends with the result of the function."""
        future: Future[None] = Future()
        self._blocks.put((future, block))
        if not self._is_started:
            self._is_started = True
            threading.Thread(target=self._run, name="dreg-behind", daemon=True).start()
        return future

    def close(self) -> None:
        """Finish the blocks that were added, and end the thread; if interrupted, call it again, in the same thread."""
        self._blocks.put(None)
        self._right_to_run.acquire()
        if self._thread is not None:
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
