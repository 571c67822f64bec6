"""What the monitor says of people whom no training has met, and of what is no worn monitor."""

import numpy as np
from numpy.typing import NDArray

from thermo_core.stages.stage import Stage
from thermo_models.features import refused, through
from thermo_models.metrics import expected_calibration_error
from thermo_models.tasks.monitor_bodies import STATES, wearers, worn
from thermo_models.tasks.task import Probe, Said
from thermo_sim.people import Happening, Person, course, happening

FIRST = 700_000
"""Seed of the first person; training has others."""
EVERY = 15
SPOT, SEEN = 3, [4, 5]
"""Places of the thermistor and of what the camera sees among the facts."""
OFF = STATES.index("sensor off")
LYING = {
    "a monitor on a table": (),
    "a monitor in the sun, in air of 33 degC": (happening("room", 0.0, size=10.0),),
}
"""What befalls one that nobody wears."""


def probe(stages: tuple[Stage, ...], known: tuple[Stage, ...], said: Said, people: int) -> Probe:
    """See `tasks.task.Probed`.

    Args:
        stages: to the network's input.
        known: to what tells that something is unlike all that was learnt from.
        said: the network.
        people: how many.
    """
    everybody = [one.thinned(EVERY) for seed in range(FIRST, FIRST + people) for one in wearers(seed)]
    facts, state = (np.concatenate([getattr(one, name) for one in everybody]) for name in ("facts", "state"))

    def states(of: NDArray[np.float32]) -> NDArray[np.float32]:
        return said(through(stages, of))[:, 1:]

    def unlike(of: NDArray[np.float32]) -> float:
        return float(refused(known, of).mean())

    scores = states(facts)
    shares = scores / np.maximum(scores.sum(1, keepdims=True), 1e-6)
    told, on = scores.argmax(1), state != OFF
    broken, aslant, mixed = facts[on].copy(), facts[on].copy(), np.random.default_rng(0).permuted(facts[on], axis=0)
    broken[:, SPOT] += 15.0
    aslant[:, SEEN] -= 5.0
    ill = state == STATES.index("fever-like")
    lying = {
        name: np.concatenate([_lying(seed, what) for seed in range(min(people, 12))]) for name, what in LYING.items()
    }
    table = next(iter(lying.values()))
    return Probe(
        f"{people} simulated people whom no training has met",
        "What is unlike all that it learnt from it flags `OUT_OF_DOMAIN`, and no alert of core temperature or fever goes by that",
        {
            "worn by people whom no training has met": unlike(facts[on]),
            "worn by those of them with a fever": unlike(facts[ill]),
            **{name: unlike(of) for name, of in lying.items()},
            "a thermistor that reads 15 K more": unlike(broken),
            "a camera that sees 5 K less": unlike(aslant),
            "numbers of different people and moments": unlike(mixed),
        },
        expected_calibration_error(shares, state),
        (
            f'Of a monitor off its skin the network says "sensor off" of {100 * np.mean(told[~on] == OFF):.1f} % of moments, on a table of '
            f"{100 * np.mean(states(table).argmax(1) == OFF):.0f} %; beside it the pulse sensor flags what is off the skin (`python bench/monitor.py faults`).",
            "Alerts of the heart go by what is measured, whether the network has met such a heart or not.",
        ),
    )


def _lying(number: int, befalls: tuple[Happening, ...]) -> NDArray[np.float32]:
    """Facts of an hour on nobody's skin."""
    went = course("rest", FIRST + number, Person.drawn(FIRST + number), hours=1.0)
    found = worn(went.with_happenings([happening("sensor-off", 0.0), *befalls]), np.random.default_rng([number, 7]))
    return found.thinned(EVERY).facts
