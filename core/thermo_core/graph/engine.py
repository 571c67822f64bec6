"""From blocks to findings and alerts, the same on a wearable, on a host that listens, and over a recording.

Each sensor's blocks are read with the constants they were made with; what they give runs through the graph; models give findings,
findings and signals move alerts.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from thermo_core.errors import SensorError, ThermoError, WireError
from thermo_core.graph.alerts import AlertChange, AlertMachine
from thermo_core.graph.findings import Finding, finding
from thermo_core.graph.learners import Learners
from thermo_core.graph.live import LiveGraph
from thermo_core.graph.network import Network
from thermo_core.graph.plan import PERSON, Plan
from thermo_core.graph.runners import Samples
from thermo_core.quality import Quality
from thermo_core.sensors.correction import Correction, fingerprint, to_bytes
from thermo_core.sensors.kind import Block, Foreseeing, Moment, Reader, SensorConstants
from thermo_core.sensors.kinds import KINDS
from thermo_core.signals import Sample, Values


@dataclass(frozen=True, slots=True)
class Said:
    """A finding, and what it rests on.

    Attributes:
        finding: what a model said.
        newest: number and newest block of each sensor it rests on.
        inference_us: the network alone.
    """

    finding: Finding
    newest: tuple[tuple[int, int], ...]
    inference_us: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a block.

    Attributes:
        passes: samples by signal, pass by pass.
        said: findings.
        changes: steps of alerts.
    """

    passes: tuple[Samples, ...] = ()
    said: tuple[Said, ...] = ()
    changes: tuple[AlertChange, ...] = ()


class Engine:
    """A wearable's sense of what its sensors say.

    Args:
        plan: the wearable.
        networks: by the names of models; a model without one says nothing.
        flags: `Quality` of everything, as SIMULATED.
        person: what is known of the wearer.
        now_us: measures how long a network takes.
        on_undecodable: told the sensor and the reason of each block that gave no signal because of what it holds.
        on_dropped: told why something learned of the wearer is not known any more, a sentence.

    Attributes:
        plan: as given.
        learners: what is learned of the wearer.
        alerts: machines by the numbers of alerts.
        undecodable: blocks that gave no signal because of what they hold, by sensor.
    """

    def __init__(
        self,
        plan: Plan,
        networks: Mapping[str, Network],
        flags: int = 0,
        person: Mapping[str, float] | None = None,
        now_us: Callable[[], int] = lambda: time.monotonic_ns() // 1000,
        on_undecodable: Callable[[int, ThermoError], None] = lambda sensor, error: None,
        on_dropped: Callable[[str], None] = lambda sentence: None,
    ) -> None:
        self.plan = plan
        self.alerts = [AlertMachine(alert, number) for number, alert in enumerate(plan.alerts)]
        self.undecodable = [0] * len(plan.profile.sensors)
        self._flags = flags
        self._on_undecodable = on_undecodable
        self._clocked = {name: _Clocked(network, now_us) for name, network in networks.items()}
        self._graph = LiveGraph(plan, self._clocked)
        self.learners = Learners(plan, self._graph, on_dropped)
        self._readers: list[Reader | None] = [None] * len(plan.profile.sensors)
        self._numbers: list[int | None] = [None] * len(plan.profile.sensors)
        self._fresh = [True] * len(plan.profile.sensors)
        self._doubts = [0] * len(plan.profile.sensors)
        self._corrected = [False] * len(plan.profile.sensors)
        self._newest: dict[int, int] = {}
        self._origins = {model.name: plan.origins(model.raw) for model in plan.profile.models}
        self._readings = {model.reading: number for number, model in enumerate(plan.profile.models)}
        self._person: Moment | None = None
        self._told = False
        self.set_person(person or {})

    @property
    def failures(self) -> int:
        """How often a runtime could not run a network."""
        return self._graph.failures

    def open(
        self, sensor: int, constants: SensorConstants, correction: Correction | None, doubtful: bool = False
    ) -> None:
        """Read a sensor's blocks with these from now on; what its signals gave before does not count any more.

        Args:
            sensor: its number.
            constants: what its chip holds.
            correction: what calibration found, or None.
            doubtful: whether the constants are in doubt for a reason they do not show, as having changed since they were first
                seen; all that rests on them is flagged as `Quality.SUSPECT`.

        Raises:
            SensorError: the constants are no healthy chip's; its blocks give nothing.
            UsageError: the profile asks for what cannot be.
        """
        settings = self.plan.profile.sensors[sensor]
        self._readers[sensor], self._numbers[sensor], self._fresh[sensor] = None, constants.number, True
        self._doubts[sensor] = int(Quality.SUSPECT) if doubtful else 0
        self._corrected[sensor] = False
        self._readers[sensor] = KINDS[settings.kind].reader(settings, constants.data, correction)
        self._corrected[sensor] = correction is not None and not correction.is_identity
        used = to_bytes(correction) if correction is not None and self._corrected[sensor] else b""
        self.learners.measured_by(sensor, fingerprint(constants.data), int.from_bytes(used[-4:], "little"))

    def reads(self, sensor: int) -> bool:
        """Whether a sensor's blocks are read: it was opened with constants that are sound."""
        return self._readers[sensor] is not None

    def constants_of(self, sensor: int) -> int | None:
        """Number of the constants a sensor's blocks are read with."""
        return self._numbers[sensor]

    def corrected(self, sensor: int) -> bool:
        """Whether a correction that changes anything is applied to a sensor."""
        return self._corrected[sensor]

    def measured(self, sensor: int) -> NDArray[np.bool_] | None:
        """Which numbers of a sensor's newest sample were measured, where its kind fills in others; None where it does not."""
        found: NDArray[np.bool_] | None = getattr(self._readers[sensor], "measured", None)
        return found

    def set_person(self, person: Mapping[str, float]) -> None:
        """What is known of the wearer from now on; what is not known has no value."""
        names = self.plan.profile.person
        self._person = {
            f"{PERSON}.{name}": Sample(0, np.asarray(person.get(name, np.nan), np.float32)) for name in names
        }
        self._told = not names

    def reset(self) -> None:
        """Start anew, as after a pause."""
        self._graph.reset()
        self._fresh = [True] * len(self._fresh)
        self._told = not self.plan.profile.person

    def push(self, block: Block) -> Outcome:
        """Take a block.

        A block of constants that are not open gives nothing; neither does one that cannot be read, which is counted.
        """
        moments = self._read(block)
        if not moments:
            return Outcome()
        self._newest[block.sensor] = block.index
        return self._run(moments)

    def expect(self, blocks: Sequence[Block]) -> None:
        """Announce blocks that will be pushed next, in this order: the same comes of them, in less time where many can be read at once."""
        for reader in self._readers:
            if isinstance(reader, Foreseeing):
                reader.expect([block for block in blocks if self._reader_of(block) is reader])

    def interrupt(self, time_us: int) -> tuple[AlertChange, ...]:
        """End what is pending of alerts, as after a gap."""
        return tuple(change for alert in self.alerts if (change := alert.interrupt(time_us)) is not None)

    def _reader_of(self, block: Block) -> Reader | None:
        """What reads a block, if it was made with the constants that are open."""
        if not 0 <= block.sensor < len(self._readers):
            return None
        number = self._numbers[block.sensor]
        return None if number is None or block.constants != number & 0xFFFF else self._readers[block.sensor]

    def _read(self, block: Block) -> Sequence[Moment]:
        reader, sensor = self._reader_of(block), block.sensor
        if reader is None:
            return ()
        try:
            moments = reader.push(block)
        except (WireError, SensorError) as error:
            self.undecodable[sensor] += 1
            self._on_undecodable(sensor, error)
            return ()
        flags, fresh = self._flags | self._doubts[sensor], self._fresh[sensor]
        if not moments or not (flags or fresh):
            return moments
        self._fresh[sensor] = False
        return [
            {
                name: Sample(one.time_us, one.values, one.flags | flags, one.fresh or (fresh and place == 0), one.order)
                for name, one in moment.items()
            }
            for place, moment in enumerate(moments)
        ]

    def _run(self, moments: Sequence[Moment]) -> Outcome:
        passes: list[Samples] = []
        if not self._told and self._person is not None:
            self._told = True
            time_us = next(iter(moments[0].values())).time_us
            told = {name: replace(sample, time_us=time_us) for name, sample in self._person.items()}
            passes += self._graph.push([told])
        passes += self._graph.push(moments)
        said: list[Said] = []
        changes: list[AlertChange] = []
        for produced in passes:
            for name, number in self._readings.items():
                if name in produced:
                    one = self._say(number, produced[name])
                    said.append(one)
                    changes += self._move(number, one.finding, produced[name].fresh)
            changes += self._watch(produced)
        return Outcome(tuple(passes), tuple(said), tuple(changes))

    def _say(self, number: int, reading: Sample) -> Said:
        model = self.plan.profile.models[number]
        newest = tuple((sensor, self._newest[sensor]) for sensor in self._origins[model.name] if sensor in self._newest)
        clocked = self._clocked.get(model.name)
        return Said(finding(model, number, reading), newest, 0 if clocked is None else clocked.took_us)

    def _move(self, model: int, one: Finding, fresh: bool) -> list[AlertChange]:
        changes = []
        for alert, machine in zip(self.plan.alerts, self.alerts, strict=True):
            if alert.watch.model == model:
                if fresh:  # what came before belongs to something else
                    changes.append(machine.interrupt(one.time_us))
                if one.values:
                    changes.append(machine.push(one.values[alert.watch.place], one.flags, one.time_us))
        return [change for change in changes if change is not None]

    def _watch(self, produced: Samples) -> list[AlertChange]:
        changes = []
        for alert, machine in zip(self.plan.alerts, self.alerts, strict=True):
            sample = produced.get(alert.watch.signal) if alert.watch.model is None else None
            if sample is not None:
                if sample.fresh:
                    changes.append(machine.interrupt(sample.time_us))
                value = float(sample.values.reshape(-1)[alert.watch.place])
                changes.append(machine.push(value, sample.flags, sample.time_us))
        return [change for change in changes if change is not None]


class _Clocked:
    """A network that knows how long it took last."""

    def __init__(self, network: Network, now_us: Callable[[], int]) -> None:
        self._network, self._now_us = network, now_us
        self.took_us = 0

    def infer(self, inputs: Sequence[Values]) -> Values:
        began_us = self._now_us()
        outputs = self._network.infer(inputs)
        self.took_us = self._now_us() - began_us
        return outputs
