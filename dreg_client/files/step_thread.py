"""A thread that works on one block after another, in order."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Final

Block = list[bytes]
_THREAD: Final = "thread"
_CLOSER: Final = "closer"


class StepThread:
    """Applies a function to blocks, in order, in a thread of its own; it starts with the first block.

    `ThreadPoolExecutor` is not used because Ctrl-C while it starts a thread makes its `shutdown` fail ("cannot join
    thread before it is started"), with the thread still running. Here, `close` and the thread race for the right to
    run: a thread that loses ends without calling the function, and `close` waits for one that won.

    Args:
        function: What to do with a block. After it failed once, it must do nothing.
        name: The name of the thread.
    """

    def __init__(self, function: Callable[[Block], None], name: str) -> None:
        self._function, self._name = function, name
        self._blocks: SimpleQueue[tuple[Future[None], Block] | None] = SimpleQueue()
        self._owner: dict[str, str] = {}
        self._ended = threading.Event()
        self._is_started = False

    def submit(self, block: Block) -> Future[None]:
        """Add a block; the result of the future is that of the function."""
        future: Future[None] = Future()
        self._blocks.put((future, block))
        if not self._is_started:
            self._is_started = True
            threading.Thread(target=self._run, name=self._name, daemon=True).start()
        return future

    def close(self) -> None:
        """Finish the blocks that were added, and end the thread. Can be called again after an interruption."""
        self._blocks.put(None)
        if self._first(_CLOSER) == _THREAD:
            self._ended.wait()

    def _first(self, name: str) -> str:
        """Return who called this first; `setdefault` is atomic, and gives the same answer when called again."""
        return self._owner.setdefault("", name)

    def _run(self) -> None:
        if self._first(_THREAD) == _CLOSER:
            return
        try:
            while (work := self._blocks.get()) is not None:
                self._work_on(*work)
        finally:
            self._ended.set()

    def _work_on(self, future: Future[None], block: Block) -> None:
        try:
            self._function(block)
        except BaseException as failure:  # noqa: BLE001 (the caller gets it from the future)
            future.set_exception(failure)
        else:
            future.set_result(None)
