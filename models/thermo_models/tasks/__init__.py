"""Tasks by name, one file each: data, split rule, preprocessing, network, metrics and goals."""

from thermo_core.errors import UsageError
from thermo_models.tasks.breast_patch import BreastPatch
from thermo_models.tasks.breast_watch import BreastWatch
from thermo_models.tasks.clothing import EIGHT, SIXTEEN
from thermo_models.tasks.core_temperature import CoreTemperature
from thermo_models.tasks.fitness_band import FitnessBand
from thermo_models.tasks.monitor import Monitor
from thermo_models.tasks.nagoya_actions import NagoyaActions
from thermo_models.tasks.nagoya_stream import NagoyaStream
from thermo_models.tasks.neuro_band import NeuroBand
from thermo_models.tasks.task import Task
from thermo_models.tasks.time_constants import TimeConstants
from thermo_models.tasks.wrist_stress import WristStress

_ALL: tuple[Task, ...] = (
    BreastPatch(),
    BreastWatch(),
    NagoyaActions(),
    NagoyaStream(),
    CoreTemperature(),
    WristStress(),
    TimeConstants(),
    NeuroBand(),
    Monitor(),
    SIXTEEN,
    EIGHT,
    FitnessBand(),
)
TASKS: dict[str, Task] = {task.name: task for task in _ALL}
"""All tasks."""


def find(name: str) -> Task:
    """The task of this name.

    Raises:
        UsageError: there is none.
    """
    if name not in TASKS:
        raise UsageError(f"There is no task {name!r}, so choose one of {', '.join(TASKS)}.")
    return TASKS[name]
