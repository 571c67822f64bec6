"""What a task's stages flag of those it is measured on, and of what it is not made for."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from thermo_core.stages.stage import Stage
from thermo_models.features import refused
from thermo_models.samples import Samples
from thermo_models.tasks.task import Bounded, Task

UNSEEN = "those it was measured on"


def refusals(task: Task, stages: Sequence[Stage], test: Samples) -> dict[str, NDArray[np.bool_]]:
    """(n,) what is flagged `OUT_OF_DOMAIN` of the test side and of each kind of strange sample; nothing of a task that is not `Bounded`."""
    if not isinstance(task, Bounded):
        return {}
    sides = {UNSEEN: test.features, **task.strange(test)}
    return {name: refused(stages, task.prepare(features)) for name, features in sides.items()}
