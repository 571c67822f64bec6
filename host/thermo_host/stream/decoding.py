"""From blocks to signals, as the device makes them, whatever session holds."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from thermo_core.errors import (
    CorrectionError,
    MissingKeyFrameError,
    SensorError,
    ThermoError,
)
from thermo_core.graph.engine import Engine, Outcome
from thermo_core.graph.network import Network
from thermo_core.graph.plan import Plan
from thermo_core.recording.session import Session
from thermo_core.sensors.kind import Block
from thermo_core.wearable.profile import Profile
from thermo_host.stream.optics import with_optics

INDEXES = 1 << 32
"""Running numbers of blocks wrap here."""


@dataclass(frozen=True, slots=True)
class DecodeSettings:
    """How blocks become signals, where not as the wearable's profile says.

    Attributes:
        emissivity: of what is looked at, 0-1; None takes the profile's.
        reflected: temperature of what it reflects, degC; None takes the profile's.
        corrected: whether the sensors' corrections are applied.
    """

    emissivity: float | None = None
    reflected: float | None = None
    corrected: bool = True

    def profile(self, session: Session) -> Profile:
        """The session's wearable with these settings.

        Raises:
            UsageError: a setting cannot be.
        """
        return with_optics(session.profile, self.emissivity, self.reflected)

    def plan(self, session: Session) -> Plan:
        """The session's graph with these settings.

        Raises:
            UsageError: the profile does not fit together, or a setting cannot be.
        """
        profile = self.profile(session)
        return session.plan if profile == session.profile else replace(session.plan, profile=profile)


@dataclass(slots=True)
class Counted:
    """Blocks of one sensor so far.

    Attributes:
        blocks: that came.
        moments: of its signals.
        lost: missing by their running numbers.
        keyless: thrown away because their key frame was never received.
        invalid: thrown away because of what they hold.
        strange: thrown away because they were made with other constants than are known.
        index: of the newest; None before the first.
    """

    blocks: int = 0
    moments: int = 0
    lost: int = 0
    keyless: int = 0
    invalid: int = 0
    strange: int = 0
    index: int | None = None

    def take(self, index: int) -> None:
        """Count a block by its running number; one that goes back is a new beginning."""
        self.blocks += 1
        if self.index is not None:
            gap = (index - self.index - 1) % INDEXES
            self.lost += gap if gap < INDEXES // 2 else 0
        self.index = index


class Decoding:
    """Runs the graph of a wearable over its blocks.

    Args:
        session: what holds at the start.
        settings: how blocks become signals.
        networks: by the names of models; a model without one says nothing here.
        part: what of the graph runs.

    Attributes:
        session: what holds.
        plan: the graph.
        counted: by the numbers of sensors.
        faults: why a sensor gives nothing, a sentence, by its number.

    Raises:
        UsageError: the profile does not fit together, or a setting cannot be.
    """

    def __init__(
        self,
        session: Session,
        settings: DecodeSettings | None = None,
        networks: Mapping[str, Network] | None = None,
        part: Callable[[Plan], Plan] = lambda whole: whole,
    ) -> None:
        self.settings = settings or DecodeSettings()
        self._part = part
        self.counted: dict[int, Counted] = {}
        self._networks = networks or {}
        self._begin(session)

    def _begin(self, session: Session) -> None:
        self.session = session
        self.plan = self.settings.plan(session)
        made = self._part(self.plan)
        self._engine = session.engine(self._networks, self.settings.corrected, made, self._undecodable)
        self.faults = self._faults()
        for sensor in range(len(session.profile.sensors)):
            self.counted.setdefault(sensor, Counted())

    @property
    def profile(self) -> Profile:
        """What blocks are decoded with."""
        return self.settings.profile(self.session)

    @property
    def engine(self) -> Engine:
        """What runs."""
        return self._engine

    @property
    def corrected(self) -> bool:
        """Whether a correction is applied to any sensor."""
        states = self.session.hello.sensors
        return self.settings.corrected and any(state.corrected for state in states)

    def follow(self, session: Session) -> None:
        """From here on another session of the same wearable holds; what goes on as before is not disturbed.

        Raises:
            UsageError: as the class.
        """
        before = self.session
        if before.profile != session.profile or before.hello.serial != session.hello.serial:
            self._begin(session)
            return
        self.session = session
        session.follow(self._engine, before, self.settings.corrected)
        self.faults = self._faults()

    def expect(self, blocks: Sequence[Block]) -> None:
        """As `Engine.expect`."""
        self._engine.expect(blocks)

    def push(self, block: Block) -> Outcome:
        """Take a block."""
        counted = self.counted.get(block.sensor)
        if counted is None:
            return Outcome()
        counted.take(block.index)
        number = self._engine.constants_of(block.sensor)
        counted.strange += number is None or block.constants != number & 0xFFFF
        outcome = self._engine.push(block)
        name = self.plan.profile.sensors[block.sensor].name
        counted.moments += sum(name in samples for samples in outcome.passes)
        return outcome

    def total(self, fields: Sequence[str]) -> int:
        """Sum over all sensors."""
        return sum(getattr(counted, field) for counted in self.counted.values() for field in fields)

    def _faults(self) -> dict[int, str]:
        """Why sensors are not read."""
        found = {}
        for sensor in range(min(len(self.session.profile.sensors), len(self.session.hello.sensors))):
            if not self._engine.reads(sensor):
                try:
                    self.session.open(self._engine, sensor, self.settings.corrected)
                except (SensorError, CorrectionError) as error:
                    found[sensor] = str(error)
        return found

    def _undecodable(self, sensor: int, error: ThermoError) -> None:
        if isinstance(error, MissingKeyFrameError):
            self.counted[sensor].keyless += 1
        else:
            self.counted[sensor].invalid += 1
