"""What people do, and how it moves a wrist: a table, one row each."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Activity:
    """One row.

    Attributes:
        par: metabolic rate by basal metabolic rate (physical activity ratio).
        kind: "sitting", "aerobic" or "sprint": what a band tells apart.
        steps_hz: steps, or turns of pedals, a second; 0 for none.
        bounce_g: size of a step's acceleration at the wrist, g.
        swing: of the arm, in parts of the person's own; goes with half of the steps.
        turns_s: mean time between two changes of how the wrist is held.
        stir_g: size of what moves the wrist in between, g.
        still_rate: share of the heart's usual rate at this activity that is not for blood: 0.9 asleep.
        wind_m_s: that the movement makes.
        lying: whether the body lies.
    """

    par: float
    kind: str = "sitting"
    steps_hz: float = 0.0
    bounce_g: float = 0.0
    swing: float = 0.0
    turns_s: float = 60.0
    stir_g: float = 0.01
    still_rate: float = 1.0
    wind_m_s: float = 0.1
    lying: bool = False


ACTIVITIES: dict[str, Activity] = {
    "sleep": Activity(1.0, turns_s=1200.0, stir_g=0.001, still_rate=0.9, lying=True),
    "lie": Activity(1.1, turns_s=240.0, stir_g=0.004, still_rate=0.95, lying=True),
    "rest": Activity(1.2, turns_s=150.0, stir_g=0.004),
    "hold": Activity(1.2, turns_s=1e9, stir_g=0.001),
    "desk": Activity(1.4, turns_s=25.0, stir_g=0.03),
    "eat": Activity(1.5, turns_s=6.0, stir_g=0.05),
    "stand": Activity(1.5, turns_s=30.0, stir_g=0.02, still_rate=1.05),
    "chores": Activity(2.5, "aerobic", turns_s=4.0, stir_g=0.2, wind_m_s=0.3),
    "stroll": Activity(2.8, "aerobic", 1.6, 0.18, 0.7, 40.0, 0.02, 1.0, 0.8),
    "walk": Activity(3.6, "aerobic", 1.85, 0.28, 1.0, 60.0, 0.02, 1.0, 1.3),
    "run": Activity(7.5, "aerobic", 2.65, 0.95, 2.0, 90.0, 0.07, 1.05, 2.6),
    "cycle": Activity(5.5, "aerobic", 1.25, 0.07, 0.1, 60.0, 0.07, 1.0, 2.0),
    "sprint": Activity(10.0, "sprint", 1.9, 0.35, 0.3, 20.0, 0.3, 1.05, 2.5),
}
"""Names, and their order is their number in `Truth.activity`."""
NAMES = tuple(ACTIVITIES)
KINDS = ("sitting", "aerobic", "sprint")
