"""A chip that is set up once and asked again and again: what all kinds of such chips need around their own few transactions.

A kind gives a `Chip`; this brings it up, finds it again when it was lost, tells when another one answers, sets it up anew after a
brown-out or when it says the same for ever, numbers its blocks, and counts each fault by its name.
"""

from dataclasses import dataclass
from typing import Protocol

from thermo_core.errors import BusError, EepromError, SensorError, UsageError
from thermo_core.sensors.kind import Block
from thermo_core.sensors.settings import SensorSettings
from thermo_core.wire.management import SelfTestResult
from thermo_device.sensors.driver import Found, Place

FIRST_RETRY_US = 20_000
LAST_RETRY_US = 1_000_000
"""Pauses between attempts to reach a chip that does not answer; they double from the first to the last."""
TRIES = 3
"""How often a reading with a wrong checksum is asked for before it counts as lost."""


class ChipReset(Exception):
    """A chip says, or shows, that it is at its power-on defaults."""


@dataclass(frozen=True, slots=True)
class Held:
    """What a chip says of itself.

    Attributes:
        identity: at most eight bytes; b"" where it has none.
        constants: as they travel; b"" for a kind without.
    """

    identity: bytes = b""
    constants: bytes = b""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one visit.

    Attributes:
        next_us: when to visit it again, device clock.
        data: of a block; None where there is none yet.
        time_us: end of the capture.
        lost: blocks that were lost before this one.
        said: what of it stays the same only where the chip hangs; None where something changed.
        hangs: whether it was found to convert nothing.
    """

    next_us: int
    data: bytes | None = None
    time_us: int = 0
    lost: int = 0
    said: bytes | None = None
    hangs: bool = False


class Chip(Protocol):
    """What a kind knows of its chip. All methods may raise `BusError`, and `SensorError` where what came cannot be."""

    same: int
    """Blocks in a row that say the same only where the chip hangs; 0 where that can be."""

    def identify(self) -> Held:
        """Read what it holds, so that a fault on the bus does not pass for it."""

    def set_up(self) -> int:
        """Make it measure anew, whatever it does; when to visit it first, device clock."""

    def visit(self) -> Answer:
        """Ask it once; raises `ChipReset` too."""


class Attended:
    """One chip at work; see `sensors.driver.Driver`.

    Args:
        settings: of the sensor.
        place: where it sits.
        chip: how it is worked.
        slack_us: how late a visit may be before something is lost.
    """

    def __init__(self, settings: SensorSettings, place: Place, chip: Chip, slack_us: float) -> None:
        self._settings = settings
        self._place = place
        self._clock, self._tally = place.clock, place.tally
        self._chip = chip
        self._slack_us = round(slack_us)
        self._running = False
        self._retry_us = FIRST_RETRY_US
        self._index = -1
        self._corrupt = 0
        self._repeated: tuple[bytes | None, int] = (None, 0)
        self._gap_from_us: int | None = None
        self._newest_us: int | None = None
        self._found: Found | None = None
        self.due_us = place.clock.now_us()
        self.fault = ""

    @property
    def late_us(self) -> int:
        """After its slack something would be lost."""
        return self.due_us + max(1, self._slack_us)

    @property
    def found(self) -> Found | None:
        """The chip that answers."""
        return self._found

    @property
    def rate_hz(self) -> float:
        """Samples a second, as the profile has it."""
        return self._settings.signals[0].rate_hz

    @property
    def period_us(self) -> int:
        """From block to block."""
        return round(1e6 / self._settings.visits[0].per_second)

    @property
    def in_time(self) -> bool:
        """The rate is kept here and not by the chip."""
        return True

    def poll(self) -> Block | None:
        """One visit, or one attempt to bring the chip up."""
        try:
            if not self._running:
                self._start()
                return None
            answer = self._chip.visit()
        except ChipReset:
            self._again("sensor_reset")
        except BusError as error:
            self._fail(error)
        except SensorError as error:
            self._spoilt(error)
        else:
            self._corrupt = 0
            self.due_us = answer.next_us
            return None if answer.data is None else self._block(answer, answer.data)
        return None

    def resume(self) -> None:
        """Go on after a pause, with the chip that answers then."""
        self._gap_from_us = self._newest_us = None
        if not self._running:
            return
        try:
            self._start()
        except (BusError, SensorError) as error:
            self._fail(error)

    def restart_keys(self, key_interval: int | None = None) -> None:
        """Each block stands for itself."""

    def set_rate(self, hz: float) -> float:
        """Raises UsageError: the profile sets it."""
        raise UsageError(f"The rate of {self._settings.name} is that of the profile; sign another one.")

    def trust(self) -> None:
        """Hold the chip to the constants it has now."""
        found = self._found
        if found is not None:
            self._place.sightings.trust(found.identity, found.sighting.fingerprint)
            self._found = self._sighted(found.identity, found.constants)

    def self_test(self, newest: Block | None, warning: str) -> list[SelfTestResult]:
        """Whether it answers, what it holds, and whether it says something."""
        name = self._settings.name
        results = [(f"{name}: answers", self._running, self.fault or "It is set up and answers.")]
        if self._found is not None and self._found.constants:
            good = "They are as first seen or calibrated."
            results.append((f"{name}: constants", not warning, warning or good))
        late = newest is None and self.period_us <= 1_000_000
        results.append((f"{name}: speaks", not late, "Nothing came." if newest is None else "It says something."))
        return [SelfTestResult(name=part, passed=passed, detail=detail) for part, passed, detail in results]

    def _start(self) -> None:
        self._meet(self._chip.identify())
        self.due_us = self._chip.set_up()
        self._running, self.fault, self._retry_us = True, "", FIRST_RETRY_US
        self._corrupt, self._repeated = 0, (None, 0)

    def _meet(self, held: Held) -> None:
        identity = held.identity or self._place.identity
        known = self._found
        if known is not None and (known.identity, known.constants) == (identity, held.constants):
            return
        if known is not None and known.identity != identity:
            self._tally.add("sensor_changed")
        self._found = self._sighted(identity, held.constants)
        if self._found.sighting.changed:
            self._tally.add("constants_changed")

    def _sighted(self, identity: bytes, constants: bytes) -> Found:
        return Found(identity, constants, self._place.sightings.meet(self._place.number, identity, constants))

    def _block(self, answer: Answer, data: bytes) -> Block | None:
        lost = answer.lost
        if self._gap_from_us is not None:
            missed = (answer.time_us - self._gap_from_us) / self.period_us - 1
            lost, self._gap_from_us = max(lost, round(missed)), None
        if lost:
            self._tally.add("blocks_lost", lost)
        self._index += 1 + lost
        self._newest_us = answer.time_us
        self._tally.add("blocks_captured")
        before, count = self._repeated
        self._repeated = answer.said, count + 1 if answer.said is not None and answer.said == before else 1
        if answer.hangs or (self._chip.same and self._repeated[1] >= self._chip.same):
            self._again("sensor_frozen")
        number = 0 if self._found is None else self._found.sighting.number & 0xFFFF
        return Block(answer.time_us, self._place.number, number, self._index, data)

    def _again(self, cause: str) -> None:
        """Set the chip up anew."""
        self._tally.add(cause)
        self._miss()
        try:
            self._start()
        except (BusError, SensorError) as error:
            self._fail(error)

    def _spoilt(self, error: SensorError) -> None:
        """A reading came that cannot be: ask again, and give it up after some tries."""
        self._tally.add("reading_corrupt")
        self._corrupt += 1
        if self._corrupt < TRIES:
            self.due_us = self._clock.now_us()
            return
        self._fail(error)

    def _miss(self) -> None:
        if self._gap_from_us is None:
            self._gap_from_us = self._newest_us

    def _fail(self, error: BusError | SensorError) -> None:
        self._miss()
        if isinstance(error, EepromError):
            self._tally.add("constants_invalid")
        if self._running or not self.fault:
            self._tally.add("sensor_lost")
            self._retry_us = FIRST_RETRY_US
        self._running, self.fault = False, str(error)
        self.due_us = self._clock.now_us() + self._retry_us
        self._retry_us = min(2 * self._retry_us, LAST_RETRY_US)
