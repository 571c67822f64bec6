"""Work beside the acquisition: in a thread that takes one piece after another, or at once in the caller's own."""

import queue
import threading
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

Result = TypeVar("Result")

CLOSE_WAIT_S = 5.0


class Background(Generic[Result]):
    """Runs pieces of work in order and keeps their results until they are fetched.

    Args:
        inline: run each piece when it is submitted, so that simulated time has a fixed order of events.
        capacity: pieces that may wait.
    """

    def __init__(self, inline: bool = False, capacity: int = 4) -> None:
        self._inline = inline
        self._results: deque[Result] = deque()
        self._waiting: queue.Queue[Callable[[], Result | None] | None] = queue.Queue(capacity)
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="inference", daemon=True)
        if not inline:
            self._thread.start()

    def submit(self, work: Callable[[], Result | None]) -> bool:
        """Take a piece of work, which must not raise; False where too much waits already, or it is closed."""
        if self._closing:
            return False
        if self._inline:
            self._keep(work())
            return True
        try:
            self._waiting.put_nowait(work)
        except queue.Full:
            return False
        return True

    def results(self) -> list[Result]:
        """What has been finished since the last call, in order."""
        finished = []
        while self._results:
            finished.append(self._results.popleft())
        return finished

    def close(self) -> None:
        """Let the piece in progress end, drop those that wait, and end the thread."""
        self._closing = True
        if self._inline:
            return
        while True:
            try:
                self._waiting.get_nowait()
            except queue.Empty:
                break
        self._waiting.put(None)
        self._thread.join(CLOSE_WAIT_S)

    def _run(self) -> None:
        while (work := self._waiting.get()) is not None and not self._closing:
            self._keep(work())

    def _keep(self, result: Result | None) -> None:
        if result is not None:
            self._results.append(result)
