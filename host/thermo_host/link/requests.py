"""Management requests over an open line: core's own for group 65; those of the standard groups are in `standard`."""

import itertools
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from thermo_core.errors import LinkTimeoutError, RefusedError, WireError
from thermo_core.wire import management
from thermo_core.wire.smp import Group, Op, ReturnCode, SmpHeader, SmpMessage
from thermo_core.wire.table import Command
from thermo_host.link.foreign import cleaned
from thermo_host.link.transport import SerialLine

if TYPE_CHECKING:
    from thermo_host.link.standard import Standard

NO_GROUP = -1
"""Group of a refusal in the codes of SMP itself."""
RETRIES = 2
"""How often a request that changes nothing is repeated when no answer comes."""
Progress = Callable[[int, int], None]
"""Called with (bytes done, bytes in all)."""


class Requests:
    """Blocking requests from any thread, telemetry flowing or not.

    Args:
        line: an open line.
        timeout_s: how long to wait for one answer.
    """

    def __init__(self, line: SerialLine, timeout_s: float) -> None:
        self._line = line
        self.timeout_s = timeout_s
        self._sequence = itertools.count()

    def read(self, command: int, body: Mapping[str, Any] | None = None, retries: int = RETRIES) -> Mapping[str, Any]:
        """Read from group 65; repeated so often when no answer comes.

        Raises:
            RefusedError, LinkTimeoutError, LinkLostError, ManagementError.
        """
        for _ in range(retries):
            try:
                return self._own(Op.READ, command, body or {}, self.timeout_s)
            except LinkTimeoutError:
                continue
        return self._own(Op.READ, command, body or {}, self.timeout_s)

    def write(self, command: int, body: Mapping[str, Any], timeout_s: float | None = None) -> Mapping[str, Any]:
        """Write to group 65, once.

        Raises:
            RefusedError, LinkTimeoutError, LinkLostError, ManagementError.
        """
        return self._own(Op.WRITE, command, body, self._patience(timeout_s))

    def _patience(self, least_s: float | None) -> float:
        """How long a command may take: its own time, or longer where whoever opened the port has the patience."""
        return max(least_s or 0.0, self.timeout_s)

    @cached_property
    def standard(self) -> "Standard":
        """Requests of the standard groups."""
        # Loaded when the first is made: most commands make none.
        from thermo_host.link.standard import Standard

        return Standard(self._line, self.timeout_s, self.refused)

    def refused(self, code: int, group: int | None) -> RefusedError:
        """The error for a refusal, with the reason the wearable gives for it."""
        reason = ""
        try:
            body = self._own(Op.READ, Command.REFUSAL, {}, self.timeout_s, explain=False)
            reason = cleaned(management.read(management.Refusal, body).reason)
        except (RefusedError, LinkTimeoutError, WireError):
            # An older wearable, or any other mcumgr server, has no reasons to give.
            reason = ""
        return _refusal(code, group, reason)

    def _own(
        self, op: Op, command: int, body: Mapping[str, Any], timeout_s: float, explain: bool = True
    ) -> Mapping[str, Any]:
        header = SmpHeader(op, Group.THERMO, int(command), next(self._sequence) % 256)
        answer = SmpMessage.decode(self._line.exchange(SmpMessage(header, body).encode(), timeout_s))
        if answer.error is None:
            return answer.body
        group, code = answer.error
        raise self.refused(code, group) if explain else _refusal(code, group, "")


def _refusal(code: int, group: int | None, reason: str) -> RefusedError:
    if not reason:
        name = ReturnCode(code).name if group is None and code in ReturnCode._value2member_map_ else str(code)
        reason = f"code {name}" + (f" of group {group}" if group is not None else "")
    text = reason.rstrip(".")
    return RefusedError(f"The wearable refused: {text}.", reason, code, NO_GROUP if group is None else group)
