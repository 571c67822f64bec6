"""How a human body answers to air, activity and clothing: a table fitted to JOS-3 (Takahashi et al. 2021, jos3 0.5.0), which is not needed here.

The answer is linear in a few states: each output is the sum of modes, and a mode goes to its target exponentially with the time
constant of its row in `TAUS_S`. The targets depend on what surrounds the body by interpolation between nodes (air, physical activity
ratio, outfit), and on the body, humidity and wind linearly between coarser nodes. bench/jos3_table.py fits the numbers and says how far
they are from JOS-3.
"""

import functools
from dataclasses import dataclass
from importlib import resources

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

SEGMENTS = (
    "Head", "Neck", "Chest", "Back", "Pelvis", "LShoulder", "LArm", "LHand", "RShoulder", "RArm", "RHand",
    "LThigh", "LLeg", "LFoot", "RThigh", "RLeg", "RFoot",
)  # fmt: skip
"""Of the body, in the order of JOS-3."""
AREA = np.array([0.059, 0.016, 0.094, 0.086, 0.118] + [0.051, 0.034, 0.027] * 2 + [0.112, 0.060, 0.030] * 2)
"""Share of the skin that each has; sums to 1."""
AREA /= AREA.sum()
MIRROR = (0, 1, 2, 3, 4, 8, 9, 10, 5, 6, 7, 14, 15, 16, 11, 12, 13)
"""Place of the segment on the other side; its own for those in the middle."""

OUTFITS: dict[str, tuple[float, ...]] = {
    "sport": (0, 0, 0.5, 0.5, 0.7, 0.3, 0, 0, 0.3, 0, 0, 0.5, 0.05, 0.9, 0.5, 0.05, 0.9),
    "indoor": (0, 0, 1.0, 1.0, 1.1, 0.8, 0.5, 0, 0.8, 0.5, 0, 0.8, 0.7, 1.0, 0.8, 0.7, 1.0),
    "jacket": (0, 0.3, 1.8, 1.8, 1.5, 1.6, 1.3, 0, 1.6, 1.3, 0, 0.9, 0.8, 1.1, 0.9, 0.8, 1.1),
    "winter": (1.0, 0.8, 2.8, 2.8, 2.3, 2.5, 2.2, 1.2, 2.5, 2.2, 1.2, 1.5, 1.4, 2.0, 1.5, 1.4, 2.0),
    "bed": (0, 0.3, 2.6, 2.8, 2.8, 2.4, 2.2, 1.8, 2.4, 2.2, 1.8, 2.6, 2.6, 2.6, 2.6, 2.6, 2.6),
}
"""What a person wears, clo by segment."""

AIR_NODES = np.array([-5.0, 5.0, 12.0, 18.0, 24.0, 30.0, 36.0, 42.0])
"""Operative temperature, degC."""
PAR_NODES = np.array([1.0, 1.25, 2.0, 3.5, 5.5, 8.0])
"""Metabolic rate by basal metabolic rate."""
COARSE_AIR = np.array([5.0, 24.0, 40.0])
COARSE_PAR = np.array([1.0, 3.0, 8.0])
TAUS_S = np.array([0.0, 150.0, 720.0, 4200.0])
"""Time constants of the modes; the first follows at once."""
OUTPUTS = {
    "skin": slice(0, 17),
    "wet": slice(17, 34),
    "core": slice(34, 36),
    "cardiac": slice(36, 37),
    "metabolic": slice(37, 38),
    "sweat": slice(38, 39),
}
"""Columns: skin and wettedness by segment, core of head and pelvis (degC), cardiac output (l/h), metabolic rate (W), water lost (g/h)."""
COLUMNS = 39
MAIN = len(AIR_NODES) * len(PAR_NODES) * len(OUTFITS)
COARSE = len(COARSE_AIR) * len(COARSE_PAR) * len(OUTFITS)
FEATURES = 7


def features(male: float, height_m: float, weight_kg: float, age_years: float, fat_percent: float) -> Array:
    """What of a body the table knows, (5,), about 0 for the middle of adults and of the size of 1."""
    return np.array(
        [male - 0.5, (height_m - 1.7) / 0.1, (weight_kg - 72) / 15, (age_years - 40) / 20, (fat_percent - 22) / 8]
    )


def surroundings(humidity: Array, wind_m_s: Array) -> Array:
    """The same of humidity (%) and wind (m/s), (n, 2) of (n,)."""
    return np.stack([(humidity - 50) / 25, np.log(np.maximum(wind_m_s, 0.05) / 0.15)], axis=1)


def main_weights(air: Array, par: Array, outfit: Array) -> Array:
    """Weights of nodes, (n, MAIN), of (n,) air, (n,) activity ratio and (n, outfits) shares of what is worn."""
    return _product(_hat(air, AIR_NODES), _hat(par, PAR_NODES), outfit)


def coarse_weights(air: Array, par: Array, outfit: Array) -> Array:
    """As `main_weights`, (n, COARSE)."""
    return _product(_hat(air, COARSE_AIR), _hat(par, COARSE_PAR), outfit)


def _hat(value: Array, nodes: Array) -> Array:
    """Weights of linear interpolation, (n, nodes); beyond the nodes those at the end."""
    value = np.clip(value, nodes[0], nodes[-1])
    left = np.clip(np.searchsorted(nodes, value, side="right") - 1, 0, len(nodes) - 2)
    share = (value - nodes[left]) / (nodes[left + 1] - nodes[left])
    weights = np.zeros((len(value), len(nodes)))
    rows = np.arange(len(value))
    weights[rows, left] = 1 - share
    weights[rows, left + 1] += share
    return weights


def _product(first: Array, second: Array, third: Array) -> Array:
    product: Array = np.einsum("na,np,no->napo", first, second, third).reshape(len(first), -1)
    return product


@dataclass(frozen=True, slots=True)
class Table:
    """The fitted numbers.

    Attributes:
        mean: (COLUMNS,) what the modes come upon.
        main: (MAIN, modes, COLUMNS) targets at the nodes.
        coarse: (FEATURES, COARSE, modes, COLUMNS) how they change with body, humidity and wind.
    """

    mean: Array
    main: Array
    coarse: Array

    def targets(self, body: Array, air: Array, par: Array, outfit: Array, humidity: Array, wind_m_s: Array) -> Array:
        """Targets of the modes, (n, modes, COLUMNS), of one body (`features`) in (n,) surroundings; they come upon `mean`."""
        several = np.concatenate([np.tile(body, (len(air), 1)), surroundings(humidity, wind_m_s)], axis=1)
        found: Array = np.tensordot(main_weights(air, par, outfit), self.main, axes=1)
        changes = np.einsum("nf,nc->nfc", several, coarse_weights(air, par, outfit)).reshape(len(air), -1)
        found += np.tensordot(changes, self.coarse.reshape(FEATURES * COARSE, *self.coarse.shape[2:]), axes=1)
        return found


@functools.cache
def shipped() -> Table:
    """The table that ships."""
    with resources.as_file(resources.files("thermo_sim.people") / "jos3.npz") as path, np.load(path) as file:
        return Table(file["mean"].astype(float), file["main"].astype(float), file["coarse"].astype(float))
