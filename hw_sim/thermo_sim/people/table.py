"""How a human body answers to air, activity and clothing: a table fitted to JOS-3 (Takahashi et al. 2021, jos3 0.5.0), which is not needed here.

The answer is linear in a few states: each output is the sum of modes, and a mode goes to its target exponentially with the time
constant of its row in `TAUS_S`. The targets depend on what surrounds the body by interpolation between nodes (air, physical activity
ratio, outfit), and on the body, humidity and wind linearly between coarser nodes. Vessels of hands and feet open and close within a
kelvin, which no sum of modes does: what the modes give of skin is corrected by itself, mean skin and core. bench/jos3_table.py fits the
numbers and says how far they are from JOS-3.
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
TAUS_S = np.array([45.0, 180.0, 720.0, 4200.0])
"""Time constants of the modes. What JOS-3 has at once (metabolic rate, blood to muscles) takes a body about the first of them."""
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
OWN_NODES = np.array([14.0, 18.0, 22.0, 26.0, 29.0, 31.0, 33.0, 34.5, 36.0, 37.5])
MEAN_NODES = np.array([28.0, 30.0, 31.5, 32.5, 33.5, 34.5, 35.5, 36.5])
HEAD_NODES = np.array([36.4, 36.8, 37.1, 37.4, 37.8, 38.4])
"""Of a segment's own temperature, of mean skin and of the head's core, between which skin is corrected, degC."""


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
    left, share = _spot(value, nodes)
    weights = np.zeros((len(value), len(nodes)))
    rows = np.arange(len(value))
    weights[rows, left] = 1 - share
    weights[rows, left + 1] += share
    return weights


def _spot(value: Array, nodes: Array) -> tuple[NDArray[np.intp], Array]:
    """Node to the left of each value, and how far it is on the way to the next; beyond the nodes as at the end."""
    value = np.clip(value, nodes[0], nodes[-1])
    left = np.clip(np.searchsorted(nodes, value, side="right") - 1, 0, len(nodes) - 2)
    return left, (value - nodes[left]) / (nodes[left + 1] - nodes[left])


def _looked_up(numbers: Array, first: tuple[NDArray[np.intp], Array], second: tuple[NDArray[np.intp], Array]) -> Array:
    """(17, k, l) numbers between their nodes, (n, 17)."""
    (row, down), (column, right) = first, second
    segment = np.arange(len(SEGMENTS))
    upper = (1 - right) * numbers[segment, row, column] + right * numbers[segment, row, column + 1]
    lower = (1 - right) * numbers[segment, row + 1, column] + right * numbers[segment, row + 1, column + 1]
    found: Array = (1 - down) * upper + down * lower
    return found


def correction_weights(own: Array, mean: Array, head: Array) -> Array:
    """Weights of the nodes of one segment's corrections, (n, all of them), in the order of `Table`."""
    by_own, by_mean, by_head = _hat(own, OWN_NODES), _hat(mean, MEAN_NODES), _hat(head, HEAD_NODES)
    pairs = ((by_mean, by_head), (by_own, by_mean), (by_own, by_head))
    return np.concatenate([np.einsum("na,nb->nab", one, other).reshape(len(own), -1) for one, other in pairs], axis=1)


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
        mean_head, own_mean, own_head: (17, ...) corrections of skin by segment, at nodes of two of these, K.
    """

    mean: Array
    main: Array
    coarse: Array
    mean_head: Array
    own_mean: Array
    own_head: Array

    def targets(self, body: Array, air: Array, par: Array, outfit: Array, humidity: Array, wind_m_s: Array) -> Array:
        """Targets of the modes, (n, modes, COLUMNS), of one body (`features`) in (n,) surroundings; they come upon `mean`."""
        several = np.concatenate([np.tile(body, (len(air), 1)), surroundings(humidity, wind_m_s)], axis=1)
        found: Array = np.tensordot(main_weights(air, par, outfit), self.main, axes=1)
        changes = np.einsum("nf,nc->nfc", several, coarse_weights(air, par, outfit)).reshape(len(air), -1)
        found += np.tensordot(changes, self.coarse.reshape(FEATURES * COARSE, *self.coarse.shape[2:]), axes=1)
        return found

    def corrected(self, skin: Array, head: Array) -> Array:
        """Skin, (n, 17) degC, of what the modes give of it and of the core of the head, (n,)."""
        mean, core = _spot(skin @ AREA, MEAN_NODES), _spot(head, HEAD_NODES)
        own = _spot(skin, OWN_NODES)
        mean, core = ((left[:, np.newaxis], share[:, np.newaxis]) for left, share in (mean, core))
        found: Array = skin + _looked_up(self.mean_head, mean, core) + _looked_up(self.own_mean, own, mean)
        return found + _looked_up(self.own_head, own, core)


@functools.cache
def shipped() -> Table:
    """The table that ships."""
    with resources.as_file(resources.files("thermo_sim.people") / "jos3.npz") as path, np.load(path) as file:
        return Table(**{name: file[name].astype(float) for name in file.files})
