"""The thread that owns the sensors: steps the pipeline while somebody listens, and does bus work in between."""

import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import Any, Protocol, TypeVar

from thermo_core.errors import BusTimeoutError, ThermoError

log = logging.getLogger(__name__)

Result = TypeVar("Result")

IDLE_WAIT_S = 60.0
GRACE_S = 2.0
"""Acquisition goes on this long after the last listener left, so that one who returns at once misses nothing."""
FIRST_RETRY_S = 0.1
LAST_RETRY_S = 5.0
STOP_WAIT_S = 10.0
MOST_WAITING = 16
"""Work that nobody waits for any more may pile up behind a transaction that hangs, no further than this."""


class Steps(Protocol):
    """What the worker needs of a pipeline."""

    def start(self) -> None:
        """Bring the sensors up; raises a `ThermoError`."""
        ...

    def resume(self) -> None:
        """Forget what was true before a pause."""
        ...

    def step(self) -> Sequence[Any]:
        """Records of one subpage; raises a `ThermoError` after its own recovery has failed."""
        ...


class Worker:
    """Runs one pipeline in a thread of its own.

    Args:
        pipeline: started, and started again after a failure, by this thread.
        publish: takes the records of a step.
        wanted: whether somebody listens.
        on_failure: told each failure that the pipeline could not recover from by itself.
        rested: called again and again while nobody listens.
    """

    def __init__(
        self,
        pipeline: Steps,
        publish: Callable[[Sequence[Any]], None],
        wanted: Callable[[], bool],
        on_failure: Callable[[ThermoError], None],
        rested: Callable[[], None] = lambda: None,
    ) -> None:
        self._pipeline = pipeline
        self._publish = publish
        self._wanted = wanted
        self._on_failure = on_failure
        self._rested = rested
        self._work: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self._attempted = threading.Event()
        self._thread = threading.Thread(target=self._run, name="pipeline", daemon=True)

    @property
    def wanted_elsewhere(self) -> bool:
        """Whether work or an end was asked for that this thread has not come to yet."""
        return self._stopping.is_set() or not self._work.empty()

    def start(self, wait_s: float = 0.0) -> None:
        """Start the thread and wait at most so long for the pipeline's first attempt to start."""
        self._thread.start()
        self._attempted.wait(wait_s)

    def wake(self) -> None:
        """Look again whether somebody listens."""
        if self._work.empty():
            self._work.put(None)

    def stop(self) -> None:
        """Let the step in progress end, then end the thread.

        Raises:
            BusTimeoutError: the thread hangs in a bus transaction.
        """
        self._stopping.set()
        self.wake()
        if self._thread.ident is not None:
            self._thread.join(STOP_WAIT_S)
        if self._thread.is_alive():
            raise BusTimeoutError(f"A bus transaction has not ended within {STOP_WAIT_S:g} s; restart the agent.")

    def call(self, work: Callable[[], Result], timeout_s: float) -> Result:
        """Run something that needs the bus in the worker's thread, between two steps.

        Raises:
            BusTimeoutError: the worker did not come to it in time.
            ThermoError: whatever `work` raises.
        """
        if self._work.qsize() > MOST_WAITING:
            raise BusTimeoutError("The sensor has not got to what was asked of it before; try again later.")
        future: Future[Result] = Future()

        def execute() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                future.set_result(work())
            except BaseException as error:
                future.set_exception(error)

        self._work.put(execute)
        try:
            return future.result(timeout_s)
        except FutureTimeoutError as error:
            future.cancel()
            raise BusTimeoutError(f"The sensor did not get to it within {timeout_s:g} s; try again.") from error

    def _run(self) -> None:
        started = False
        running = False
        retry_s = FIRST_RETRY_S
        last_wanted_s = float("-inf")
        while not self._stopping.is_set():
            self._do_work(0.0)
            try:
                if not started:
                    self._pipeline.start()
                    started, running, retry_s = True, True, FIRST_RETRY_S
                    self._attempted.set()
                if self._wanted():
                    last_wanted_s = time.monotonic()
                if time.monotonic() - last_wanted_s > GRACE_S:
                    running = False
                    self._rested()
                    self._do_work(IDLE_WAIT_S)
                    continue
                if not running:
                    self._pipeline.resume()
                    running = True
                self._publish(self._pipeline.step())
                retry_s = FIRST_RETRY_S
            except ThermoError as error:
                self._on_failure(error)
                started = False
            except Exception as error:
                log.exception("the pipeline met an internal error")
                self._on_failure(ThermoError(f"The pipeline met an internal error ({error!r}); see the device's log."))
                started = False
            if not started:
                self._attempted.set()
                self._do_work(retry_s)
                retry_s = min(2 * retry_s, LAST_RETRY_S)

    def _do_work(self, wait_s: float) -> None:
        """Execute what was asked for; wait for the first of it at most `wait_s`."""
        try:
            while True:
                work = self._work.get(timeout=wait_s) if wait_s else self._work.get_nowait()
                wait_s = 0.0
                if work is not None:
                    work()
        except queue.Empty:
            return
