"""Scenes of simulated bodies that a garment is judged by: skin of 17 segments a minute, and what happened to it.

A file holds the scenes as `bench/jos3_bodies.py` makes them with JOS-3 (Takahashi et al. 2021): 90 minutes each, of one person with
clothes and activities of its own, in one room. Bodies `TESTED` are there to be tested on, all others to be learnt from.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from thermo_core.errors import UsageError
from thermo_models.samples import open_npz
from thermo_sim.people.table import SEGMENTS

Array = NDArray[np.float64]
Index = NDArray[np.int64]

ARRAYS = ("tsk", "event", "t0", "ta", "par", "segments")
EVENTS = ("none", "jacket_open", "heat_one_side", "cool_one_side", "warm_spot_trunk")
ONE_SIDED = (EVENTS.index("heat_one_side"), EVENTS.index("cool_one_side"))
UNKNOWN = -1
"""Stands for an event where it is not known what is one."""
TESTED = range(70, 100)
BIAS_K, NOISE_K = 0.15, 0.05
"""Standard deviations of what a node is off by all the time, and from minute to minute."""
CALIBRATED = 0.02 / BIAS_K
"""Share of it that a calibration leaves."""


@dataclass(frozen=True, slots=True)
class Scenes:
    """Scenes of a file.

    Attributes:
        skin: (n, minutes, 17) degC.
        event: (n,) places in `EVENTS`, or `UNKNOWN`.
        begun: (n,) minute from which on the event is; -1 where there is none.
        room: (n, minutes) degC.
        work: (n, minutes) metabolic rate by basal metabolic rate.
        of_day: (n,) whether it is a piece of a day of `clothing_days`.
    """

    skin: Array
    event: Index
    begun: Index
    room: Array
    work: Array
    of_day: NDArray[np.bool_]

    @classmethod
    def read(cls, path: Path) -> "Scenes":
        """Those of a file.

        Raises:
            StorageError: it cannot be read.
            UsageError: it holds no such scenes.
        """
        arrays = open_npz(path, ARRAYS)
        skin, names = arrays["tsk"].astype(np.float64), [str(name) for name in arrays["event"]]
        if skin.ndim != 3 or tuple(str(name) for name in arrays["segments"]) != SEGMENTS:
            raise UsageError(f"{path} does not hold the 17 segments of JOS-3, so make it with bench/jos3_bodies.py.")
        if {len(arrays[name]) for name in ("event", "t0", "ta", "par")} != {len(skin)} or len(skin) <= TESTED[-1]:
            raise UsageError(f"{path} holds {len(skin)} bodies; give {TESTED[-1] + 1} or more, each with its event.")
        if strange := set(names) - set(EVENTS):
            raise UsageError(f"{path} holds an event {min(strange)!r}; known are {', '.join(EVENTS)}.")
        event = np.array([EVENTS.index(name) for name in names])
        work = arrays["par"].astype(np.float64)
        room = np.broadcast_to(arrays["ta"].astype(np.float64)[:, np.newaxis], work.shape)
        return cls(skin, event, arrays["t0"].astype(np.int64), room, work, np.zeros(len(skin), np.bool_))

    @classmethod
    def joined(cls, parts: Sequence["Scenes"]) -> "Scenes":
        """All of them, one after the other."""
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in cls.__slots__))

    def __len__(self) -> int:
        return len(self.skin)

    @property
    def learnt(self) -> NDArray[np.bool_]:
        """(n,) which bodies are there to be learnt from."""
        return ~np.isin(np.arange(len(self)), TESTED)

    def seen(self, nodes: Index, seed: int) -> tuple[Array, Array]:
        """What nodes at these segments and, last, a sensor of the room say, with noise, and what each is off by all the time.

        Returns:
            (n, minutes, nodes + 1) degC without that, (n, 1, nodes + 1) K.
        """
        all_said, rng = with_room(self.skin[:, :, nodes], self.room), np.random.default_rng([seed, 0xC10])
        bias = rng.normal(0, BIAS_K, (len(self), 1, len(nodes) + 1))
        return np.asarray(all_said + rng.normal(0, NOISE_K, all_said.shape), np.float64), bias


def with_room(nodes: Array, room: Array) -> Array:
    """(..., nodes + 1) what nodes say and, last, the room's air."""
    return np.concatenate([nodes, room[..., np.newaxis]], axis=-1)
