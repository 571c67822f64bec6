"""A garment's graph from what all nodes say at once: for bodies that are simulated without chips."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from thermo_core.graph import series
from thermo_core.graph.alerts import AlertMachine, AlertState
from thermo_core.graph.plan import Plan, plan
from thermo_core.sensors.external.settings import ExternalSettings
from thermo_core.signals import Series
from thermo_core.tflite.interpreter import Int8Network
from thermo_core.wearable import file, library
from thermo_models.tasks import find
from thermo_models.tasks.clothing import Clothing

Array = NDArray[np.float64]
NODES = "nodes"
"""Signal of what all nodes and, last, the sensor of the room say."""
STEP_S = 10.0
"""Between two samples of it."""


@dataclass(frozen=True)
class Garment:
    """A wearable from its nodes on.

    Attributes:
        plan: its graph, which begins with what all nodes say.
        networks: by model.
        nodes: segments that have one.
    """

    plan: Plan
    networks: dict[str, Int8Network]
    nodes: NDArray[np.int64]

    @classmethod
    def read(cls, name: str) -> "Garment":
        """One that ships, by its name."""
        wearable, task = file.read(library.resolve(name)), find(name)
        assert isinstance(task, Clothing)
        known, kept = {NODES}, []
        for stage in wearable.profile.stages:
            if stage.gives != NODES and all(of in known for of in stage.inputs):
                kept.append(stage)
                known.add(stage.gives)
        sensor = ExternalSettings(
            name=NODES, shape=(len(task.nodes) + 1,), unit="degC", rate_hz=1 / STEP_S, low=-50.0, high=100.0
        )
        networks = {model: Int8Network(path.read_bytes()) for model, path in wearable.networks.items()}
        return cls(plan(replace(wearable.profile, sensors=(sensor,), stages=tuple(kept))), networks, task.nodes)

    def run(self, said: Array) -> dict[str, Series]:
        """All signals of (n, nodes + 1) degC, a step apart."""
        times_us = np.rint(1e6 * STEP_S * np.arange(1, len(said) + 1)).astype(np.int64)
        made = Series(times_us, said.astype(np.float32), order=series.order_of_blocks(len(said)))
        return series.run(self.plan, {NODES: made}, self.networks)

    def raised(self, found: dict[str, Series]) -> Counter[str]:
        """How often each alert is raised."""
        counts: Counter[str] = Counter()
        for number, alert in enumerate(self.plan.alerts):
            machine, of = AlertMachine(alert, number), found[alert.watch.signal]
            for place in range(len(of)):
                value = float(of.values[place].reshape(-1)[alert.watch.place])
                change = machine.push(value, int(of.flags[place]), int(of.times_us[place]))
                counts[alert.alert.name] += change is not None and change.state is AlertState.RAISED
        return counts
