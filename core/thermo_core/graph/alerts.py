"""When an alert is raised and when it is over: a state that every finding or sample moves on.

CLEAR -> PENDING while its condition holds, not for long enough yet; -> RAISED once it does; -> ACKNOWLEDGED when a person has said
so; back to CLEAR once it is over. What cannot be believed (`quality.DOUBTFUL`), or is no value, moves nothing: it neither counts
towards an alert nor ends one.
"""

import math
from dataclasses import dataclass
from enum import IntEnum

from thermo_core.graph.alert_plan import AlertPlan
from thermo_core.quality import DOUBTFUL


class AlertState(IntEnum):
    """As it travels."""

    CLEAR = 0
    PENDING = 1
    RAISED = 2
    ACKNOWLEDGED = 3


@dataclass(frozen=True, slots=True)
class AlertChange:
    """One step of an alert.

    Attributes:
        alert: its number within the profile.
        state: it is in now.
        time_us: since when, device clock, microseconds.
        value: that moved it; NaN where a person did.
        flags: `Quality` of that value.
    """

    alert: int
    state: AlertState
    time_us: int
    value: float
    flags: int


class AlertMachine:
    """One alert at work.

    Args:
        plan: its conditions.
        number: within the profile.

    Attributes:
        newest: its last change; CLEAR at time 0 before the first.
    """

    def __init__(self, plan: AlertPlan, number: int) -> None:
        self._plan = plan
        self._number = number
        self._count = 0
        self._since_us = 0
        self.newest = AlertChange(number, AlertState.CLEAR, 0, math.nan, 0)

    def push(self, value: float, flags: int, time_us: int) -> AlertChange | None:
        """Take the number it watches at one moment.

        Returns:
            A change of its state, if there is one.
        """
        if math.isnan(value) or flags & DOUBTFUL:
            return None
        if self.newest.state in (AlertState.RAISED, AlertState.ACKNOWLEDGED):
            clear = self._plan.clear
            over = clear.holds(value) if clear is not None else not self._plan.when.holds(value)
            return self._change(AlertState.CLEAR, time_us, value, flags) if over else None
        if not self._plan.when.holds(value):
            was_pending = self.newest.state is AlertState.PENDING
            return self._change(AlertState.CLEAR, time_us, value, flags) if was_pending else None
        if self.newest.state is AlertState.CLEAR:
            self._count, self._since_us = 0, time_us
        self._count += 1
        after = self._plan.alert.after
        if self._count >= after.findings and time_us - self._since_us >= round(after.seconds * 1e6):
            return self._change(AlertState.RAISED, time_us, value, flags)
        return self._change(AlertState.PENDING, time_us, value, flags) if self._count == 1 else None

    def stand(self, before: AlertChange) -> None:
        """Be where it was before a restart: raised or acknowledged. One that was pending begins anew."""
        if before.state in (AlertState.RAISED, AlertState.ACKNOWLEDGED):
            self.newest = before

    def acknowledge(self, time_us: int) -> AlertChange | None:
        """A person has seen it: it stays until it is over, and calls nobody any more."""
        if self.newest.state is not AlertState.RAISED:
            return None
        return self._change(AlertState.ACKNOWLEDGED, time_us, math.nan, 0)

    def interrupt(self, time_us: int) -> AlertChange | None:
        """What came before a gap or a change of sensor does not count any more; one that is raised stays raised."""
        if self.newest.state is not AlertState.PENDING:
            return None
        return self._change(AlertState.CLEAR, time_us, math.nan, 0)

    def _change(self, state: AlertState, time_us: int, value: float, flags: int) -> AlertChange:
        self.newest = AlertChange(self._number, state, time_us, value, flags)
        return self.newest
