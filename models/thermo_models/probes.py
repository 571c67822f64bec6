"""What a card tells beside figures, with nothing trained: what the model says of worlds nobody learnt from, and what parts of its inputs tell."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermo_models.evaluation import open_model
from thermo_models.features import network_inputs
from thermo_models.samples import Samples
from thermo_models.settings import Settings
from thermo_models.tasks.task import Ablated, Probed, Task


def probed(task: Task, folder: Path, load: Callable[[], Samples], settings: Settings, quick: bool) -> dict[str, Any]:
    """What goes beside the figures of a run: `probe` of the model in a folder, `parts` of samples that `load` gives; nothing of a task without."""
    found: dict[str, Any] = {}
    if isinstance(task, Ablated):
        found["parts"] = task.ablate(load(), settings, quick)
    if isinstance(task, Probed):
        opened = open_model(task, folder / "model.tflite")
        assert opened.profile is not None

        def said(values: NDArray[np.float32]) -> NDArray[np.float32]:
            return opened.network.predict([network_inputs((), values)])

        found["probe"] = dataclasses.asdict(task.probe(opened.profile, opened.stages, said, quick))
    return found
