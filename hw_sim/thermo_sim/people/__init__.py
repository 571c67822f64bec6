"""People: one body that all sensors of a wearable feel, by a script of what happens to it, with its ground truth."""

from thermo_sim.people.course import Course, Truth, course
from thermo_sim.people.happenings import Happening, happening, parse_happenings
from thermo_sim.people.person import Person
from thermo_sim.people.table import AREA, SEGMENTS
from thermo_sim.people.waves import motion, pulse_wave

__all__ = [
    "AREA",
    "SEGMENTS",
    "Course",
    "Happening",
    "Person",
    "Truth",
    "course",
    "happening",
    "motion",
    "parse_happenings",
    "pulse_wave",
]
