"""Heart rates from pulse waves: the stages that a band has for it, and recordings of real people."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from stage_runs import run, samples, sensor, wearable

from thermo_core.graph.plan import Plan
from thermo_core.signals import Series

Floats = NDArray[np.float64]

RATE_HZ = 25.0


def band(rate_hz: float = RATE_HZ, motion: bool = True, **fields: Any) -> Plan:
    """Eight seconds every two, of a filtered pulse and of motion held on it."""
    rows = round(8 * rate_hz)
    window = {"op": "window", "length": rows, "every": rows // 4}
    stages = [
        {"op": "bandpass", "of": "pulse", "gives": "wave", "low_hz": 0.7, "high_hz": 3.5},
        window | {"of": "wave", "gives": "waves"},
        window | {"of": "motion", "gives": "moves"},
        {"op": "spectrum_peak", "of": "waves", "gives": "heart"} | ({"motion": "moves"} if motion else {}) | fields,
    ]
    if motion:
        stages.insert(0, {"op": "hold", "of": "acceleration", "on": "pulse", "gives": "motion"})
    else:
        del stages[2]
    return wearable(
        [sensor("pulse", rate_hz=rate_hz), sensor("acceleration", (3,), rate_hz=rate_hz, unit="g")], *stages
    )


def heart(made: Plan, pulse: Floats, acceleration: Floats | None = None, flags: Any = None) -> Series:
    times_us = np.arange(len(pulse)) * round(1e6 / made.signals["pulse"].rate_hz)
    axes = np.zeros((len(pulse), 3)) if acceleration is None else acceleration
    # Blocks alternate, the accelerometer's before the pulse of the same moment.
    moved, beaten = samples(axes, times_us), samples(pulse, times_us, flags)
    order = np.arange(len(pulse), dtype=np.int64) * 16
    return run(
        made,
        acceleration=Series(moved.times_us, moved.values, moved.flags, moved.fresh, order),
        pulse=Series(beaten.times_us, beaten.values, beaten.flags, beaten.fresh, order + 8),
    )["heart"]


@dataclass(frozen=True)
class Found:
    """Heart rates of some recordings.

    Attributes:
        errors: magnitudes, beats a minute, of windows that have a rate and a reference.
        given: share of windows with a reference that have a rate.
        referenced: share of all windows that have a reference.
    """

    errors: Floats
    given: float
    referenced: float


def compared(path: Path, kind: str) -> Found:
    """Sessions of a kind, "STRESS" or "AEROBIC" or "ANAEROBIC", against the beat intervals that the wrist band itself was sure of."""
    data, made, errors = np.load(path), band(32.0), []
    windows, referenced = 0, 0
    for key in sorted(name for name in data.files if name.startswith(f"{kind}_") and name.endswith("_bvp_x10_64hz")):
        wave = data[key].astype(np.float64) / 10
        wave = wave[: len(wave) // 2 * 2].reshape(-1, 2).mean(1)
        axes = data[key.replace("_bvp_x10_64hz", "_acc_64th_g_32hz")].astype(np.float64) / 64
        intervals = data[key.replace("_bvp_x10_64hz", "_ibi_t_s")]
        count = min(len(wave), len(axes))
        found = heart(made, wave[:count], axes[:count])
        windows += len(found)
        for end_s, (bpm, _) in zip(found.times_us / 1e6, found.values, strict=True):
            inside = (intervals[:, 0] - intervals[:, 1] >= end_s - 8) & (intervals[:, 0] <= end_s)
            if intervals[inside, 1].sum() > 6:  # of eight seconds
                referenced += 1
                if np.isfinite(bpm):
                    errors.append(abs(bpm - 60 / intervals[inside, 1].mean()))
    return Found(np.array(errors), len(errors) / referenced, referenced / windows)
