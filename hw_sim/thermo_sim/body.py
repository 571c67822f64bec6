"""What a body does that light sensors and accelerometers feel: a heart that beats, breath, steps; each a function of time and seed."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermo_sim.people.beat import blood
from thermo_sim.world_file import Motion, Pulse

_TREMOR_HZ = (0.7, 1.9, 3.1, 5.3)


def photocurrent(pulse: Pulse, seed: int, times_s: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Photocurrent of skin for each mA through the red, infrared and green LED, nA; (n, 3) at (n,) times.

    A beat takes light away within a fifth of its length and gives it back over the rest. Breathing makes the heart beat faster and
    slower and moves the level by a fifth of a beat's depth.
    """
    start, breath = np.random.default_rng([seed, 0xB0D1]).uniform(0, 1, 2)
    hz, breath_hz = pulse.beats_per_minute / 60, pulse.breaths_per_minute / 60
    breathing = 2 * np.pi * (breath_hz * times_s + breath)
    beats = hz * times_s + start
    if breath_hz:
        beats = beats + pulse.variation * hz / (2 * np.pi * breath_hz) * np.sin(breathing)
    taken = blood(beats % 1.0) + 0.1 * np.cos(breathing)
    level, depth = np.asarray(pulse.level_na), np.asarray(pulse.depth)
    light: NDArray[np.float64] = level * (1 - depth * taken[:, None])
    return light


def acceleration(motion: Motion, seed: int, times_s: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Acceleration along x, y and z, g; (n, 3) at (n,) times.

    Steps go along what is up at rest, with a second harmonic as feet have it; tremor goes along all axes.
    """
    rng = np.random.default_rng([seed, 0xB0D2])
    up = np.asarray(motion.up_g, np.float64)
    felt = np.tile(up, (len(times_s), 1))
    if motion.steps_hz:
        phase = 2 * np.pi * (motion.steps_hz * times_s + rng.uniform())
        step = motion.steps_g * (0.8 * np.sin(phase) + 0.2 * np.sin(2 * phase))
        felt += step[:, None] * up / max(float(np.linalg.norm(up)), 1e-9)
    size = motion.tremor_g * np.sqrt(2 / len(_TREMOR_HZ))
    for hz in _TREMOR_HZ:
        felt += size * np.sin(2 * np.pi * (hz * times_s[:, None] + rng.uniform(0, 1, 3)))
    return felt
