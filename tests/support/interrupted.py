"""Interrupts a call in turn at each of its instructions where the handler of a signal may."""

import dis
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import _base as futures
from types import FrameType, ModuleType
from typing import Any

from thermo_core.entry import Terminated

Trace = Callable[[FrameType, str, Any], Any]
LOCKS = (threading, futures)
"""Locks that are written in Python."""


def at_each_instruction(call: Callable[[], object], *modules: ModuleType) -> Iterator[BaseException]:
    """Make a call again and again, each time interrupted a little later, until it comes to its end.

    Args:
        call: what to interrupt.
        modules: in whose instructions, besides those of `LOCKS`.

    Yields:
        What came out of each.
    """
    files = {module.__file__ for module in (*LOCKS, *modules)}
    for moment in range(1, 100_000):
        before = sys.gettrace()
        sys.settrace(_Interruption(files, moment))
        try:
            call()
            return
        except BaseException as error:
            sys.settrace(before)
            yield error
        finally:
            sys.settrace(before)


class _Interruption:
    """Raises where CPython looks for signals: behind a call, behind a jump back, and where a function begins."""

    def __init__(self, files: set[str | None], moment: int) -> None:
        self._files, self._left = files, moment

    def __call__(self, frame: FrameType, event: str, argument: Any) -> Trace | None:
        if frame.f_code.co_filename not in self._files:
            return None
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        last = ""

        def trace(frame: FrameType, event: str, argument: Any) -> Trace:
            nonlocal last
            if event == "opcode":
                looks = last.startswith(("CALL", "JUMP_BACKWARD", "RESUME"))
                last = dis.opname[frame.f_code.co_code[frame.f_lasti]]
                self._left -= looks
                if looks and self._left == 0:
                    raise Terminated
            return trace

        return trace
