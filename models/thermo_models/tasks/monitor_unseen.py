"""What the monitor says of people whom no training has met, and of what is no worn monitor."""

import numpy as np
from numpy.typing import NDArray

from thermo_core.stages.stage import Stage
from thermo_models.features import through
from thermo_models.metrics import expected_calibration_error
from thermo_models.tasks.monitor_bodies import STATES, wearers, worn
from thermo_models.tasks.task import Probe, Said
from thermo_sim.people import Happening, Person, course, happening

FIRST = 700_000
"""Seed of the first person; training has others."""
EVERY = 15
SPOT = 3
"""Place of the thermistor among the facts."""
OFF = STATES.index("sensor off")
LYING = {
    "a monitor on a table": (),
    "a monitor in the sun, in air of 33 degC": (happening("room", 0.0, size=10.0),),
}
"""What befalls one that nobody wears."""
NO_MEASURE = (
    "It has no measure of how far its numbers are from those it learnt from: numbers that no body has together are answered like others, and "
    "only a sensor that is off, lost or frozen is told (`python bench/monitor.py faults`): of a monitor that nobody wears by the pulse sensor, "
    "which flags what is off the skin, whatever the network says."
)


def probe(stages: tuple[Stage, ...], said: Said, people: int) -> Probe:
    """See `tasks.task.Probed`.

    Args:
        stages: to the network's input.
        said: the network.
        people: how many.
    """
    everybody = [one.thinned(EVERY) for seed in range(FIRST, FIRST + people) for one in wearers(seed)]
    facts, state = (np.concatenate([getattr(one, name) for one in everybody]) for name in ("facts", "state"))

    def states(of: NDArray[np.float32]) -> NDArray[np.float32]:
        return said(through(stages, of))[:, 1:]

    scores = states(facts)
    shares = scores / np.maximum(scores.sum(1, keepdims=True), 1e-6)
    told, on = scores.argmax(1), state != OFF
    broken, mixed = facts[on].copy(), np.random.default_rng(0).permuted(facts[on], axis=0)
    broken[:, SPOT] += 15.0
    strange = {
        name: np.concatenate([_lying(seed, what) for seed in range(min(people, 12))]) for name, what in LYING.items()
    }
    strange |= {"a thermistor that reads 15 K more": broken, "numbers of different people and moments": mixed}
    return Probe(
        f"{people} simulated people whom no training has met",
        'What nobody wears it says "sensor off" of, beside what its sensors flag themselves',
        {
            "worn by people whom no training has met": float(np.mean(told[on] == OFF)),
            "off their skin": float(np.mean(told[~on] == OFF)),
            **{name: float(np.mean(states(of).argmax(1) == OFF)) for name, of in strange.items()},
        },
        expected_calibration_error(shares, state),
        (NO_MEASURE,),
    )


def _lying(number: int, befalls: tuple[Happening, ...]) -> NDArray[np.float32]:
    """Facts of an hour on nobody's skin."""
    went = course("rest", FIRST + number, Person.drawn(FIRST + number), hours=1.0)
    found = worn(went.with_happenings([happening("sensor-off", 0.0), *befalls]), np.random.default_rng([number, 7]))
    return found.thinned(EVERY).facts
