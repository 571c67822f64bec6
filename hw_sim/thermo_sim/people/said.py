"""What is true of a course at one time, as plain data; and over times, as a table."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermo_sim.people.activities import ACTIVITIES, NAMES
from thermo_sim.people.course import Course
from thermo_sim.people.table import SEGMENTS


def said_of(course: Course, time_s: float, felt: Mapping[str, Any]) -> dict[str, Any]:
    """At one time of it; `felt` is what sensors feel."""
    times = np.array([time_s])
    truth, person = course.at(times), course.person
    activity = NAMES[int(truth.activity[0])]
    return {
        "course_s": time_s,
        "hour": _round(course.hour(times)[0]),
        "script": course.script,
        "person": {
            "seed": person.seed,
            "sex": person.sex,
            "age_years": person.age_years,
            "weight_kg": person.weight_kg,
            "height_m": person.height_m,
            "fat_percent": person.fat_percent,
            "resting_bpm": _round(person.resting_bpm),
        },
        "activity": activity,
        "activity_kind": ACTIVITIES[activity].kind,
        "skin_celsius": {name: _round(value) for name, value in zip(SEGMENTS, truth.skin_celsius[0], strict=True)},
        "mean_skin_celsius": _round(truth.mean_skin_celsius[0]),
        "core_celsius": _round(truth.core_celsius[0]),
        "heart_bpm": _round(truth.heart_bpm[0]),
        "cardiac_l_h": _round(truth.cardiac_l_h[0]),
        "metabolic_w": _round(truth.metabolic_w[0]),
        "air_celsius": _round(truth.air_celsius[0]),
        "humidity": _round(truth.humidity[0]),
        "sweat_g_h": _round(truth.sweat_g_h[0]),
        "steps_hz": _round(truth.steps_hz[0]),
        "felt": felt,
        "happenings": [
            {"kind": one.kind, "at": one.at or one.effect.at, "size": one.size, "since_s": _round(time_s - one.start_s)}
            for one in course.happenings
            if one.start_s <= time_s < one.end_s
        ],
        "recoveries": [
            {
                "end_s": one.end_s,
                "distance_k": _round(one.distance_k),
                "share": [_round(value) for value in one.share],
                "left_s": [_round(value) for value in one.left_s],
                "right_s": [_round(value) for value in one.right_s],
            }
            for one in course.recoveries
            if one.start_s <= time_s
        ],
    }


_COLUMNS = (
    "core_celsius", "mean_skin_celsius", "heart_bpm", "cardiac_l_h", "metabolic_w", "air_celsius", "humidity", "sweat_g_h",
    "steps_hz",
)  # fmt: skip


def table_of(course: Course, times_s: NDArray[np.float64]) -> str:
    """At (n,) times, as CSV with a heading."""
    truth = course.at(times_s)
    going = [
        "+".join(sorted({one.kind for one in course.happenings if one.start_s <= time_s < one.end_s}))
        for time_s in times_s.tolist()
    ]
    lines = [",".join(("time_s", "activity", *_COLUMNS, *SEGMENTS, "happenings"))]
    columns = np.stack([getattr(truth, name) for name in _COLUMNS], axis=1)
    for time_s, activity, row, skin, kinds in zip(
        times_s.tolist(), truth.activity.tolist(), columns, truth.skin_celsius, going, strict=True
    ):
        numbers = [f"{value:.3f}" for value in (*row, *skin)]
        lines.append(",".join((f"{time_s:.3f}", NAMES[activity], *numbers, kinds)))
    return "\n".join(lines) + "\n"


def _round(value: float) -> float:
    return round(float(value), 3)
