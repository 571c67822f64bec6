"""Work beside the acquisition: in a thread that takes one piece after another, or at once in the caller's own."""

import threading
from collections import Counter, deque
from collections.abc import Callable
from typing import Generic, TypeVar

Result = TypeVar("Result")

CLOSE_WAIT_S = 5.0


class Background(Generic[Result]):
    """Runs pieces of work in order and keeps their results until they are fetched.

    Args:
        inline: run each piece when it is submitted, so that simulated time has a fixed order of events.
        capacity: pieces of one source that may wait.
    """

    def __init__(self, inline: bool = False, capacity: int = 4) -> None:
        self._inline = inline
        self._capacity = capacity
        self._results: deque[Result] = deque()
        self._changed = threading.Condition()
        self._waiting: deque[tuple[int, Callable[[], Result | None]]] = deque()
        self._held: Counter[int] = Counter()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="inference", daemon=True)
        if not inline:
            self._thread.start()

    def submit(self, work: Callable[[], Result | None], source: int = 0) -> bool:
        """Take a piece of work, which must not raise; False where too much of its source waits already, or it is closed."""
        if self._inline:
            if self._closing:
                return False
            self._keep(work())
            return True
        with self._changed:
            if self._closing or self._held[source] >= self._capacity:
                return False
            self._held[source] += 1
            self._waiting.append((source, work))
            self._changed.notify()
        return True

    def has_room(self, source: int = 0) -> bool:
        """Whether `submit` would take a piece of this source; any thread may ask."""
        return self._inline or self._held[source] < self._capacity

    def results(self) -> list[Result]:
        """What has been finished since the last call, in order."""
        finished = []
        while self._results:
            finished.append(self._results.popleft())
        return finished

    def close(self) -> None:
        """Let the piece in progress end, drop those that wait, and end the thread."""
        with self._changed:
            self._closing = True
            self._waiting.clear()
            self._changed.notify()
        if not self._inline:
            self._thread.join(CLOSE_WAIT_S)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._closing)
                if self._closing:
                    return
                source, work = self._waiting.popleft()
                self._held[source] -= 1
            self._keep(work())

    def _keep(self, result: Result | None) -> None:
        if result is not None:
            self._results.append(result)
