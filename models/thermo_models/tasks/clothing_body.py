"""What a garment's graph knows of bodies: constants of `node_check` and `body_map`, and how well they do on bodies not met."""

import msgspec
import numpy as np
from numpy.typing import NDArray

from thermo_core.schema import Floats
from thermo_core.stages.body_map import BodyMap
from thermo_core.stages.node_check import NodeCheck
from thermo_models.body_constants import body_constants
from thermo_models.features import through
from thermo_models.tasks.clothing_scenes import BIAS_K, NOISE_K, Array, Index, with_room
from thermo_sim.people.table import AREA, MIRROR

BEYOND_K = 1000.0
"""Limit of the room's air, which is no node to be taken away."""
LOOSE_TAU_MIN, LOOSE_MIN = 1.0, 5.0
"""A node that comes loose goes to the room's temperature with this time constant; it is looked at so many minutes later."""

Body = tuple[NodeCheck, BodyMap]
"""The stages "checked" and "body" of a garment."""


def body_of(skin: Array, room: Array, nodes: Index, limit: float, check: NodeCheck, whole: BodyMap) -> Body:
    """The stages of a garment with constants of these bodies, each of which counts a second time as seen in a mirror.

    Args:
        skin: (n, 17) degC.
        room: (n,) degC.
        nodes: segments that have one.
        limit: standard deviations by which a node may be off what the others say of it.
        check: as the garment has it.
        whole: likewise.
    """
    both = np.concatenate([skin, skin[:, MIRROR]])
    found = body_constants(with_room(both[:, nodes], np.tile(room, 2)), both, float(np.hypot(BIAS_K, NOISE_K)))
    usual, weights = Floats(found.usual), Floats(found.weights.ravel())
    return (
        msgspec.structs.replace(check, limit=Floats([*(limit * found.spread[:-1]).tolist(), BEYOND_K]), usual=usual, weights=weights),
        msgspec.structs.replace(
            whole, usual=usual, level=Floats(found.level), matrix=Floats(found.matrix.ravel()), weights=weights,
            areas=Floats(AREA),
        ),
    )  # fmt: skip


def segments_of(body: Body, said: Array) -> Array:
    """(n, 18) segments and mean of the skin of (n, nodes + 1) numbers of nodes and room, degC."""
    return through(body, said.astype(np.float32)).astype(np.float64)


def errors(body: Body, said: Array, skin: Array) -> dict[str, NDArray[np.float64]]:
    """How well a garment does at each of some moments.

    Args:
        body: its stages.
        said: (n, nodes + 1) by its nodes and of the room, degC.
        skin: (n, 17) of the body.

    Returns:
        (n, 17) "segments", square error of each, K^2. (n,) each: "map" and "dead", mean square errors of the segments with all nodes and
        with any one removed, K^2; "mean", error of the mean of the skin, K; "found", share of nodes that are taken away `LOOSE_MIN` minutes
        after they came loose; "false", whether a node is taken away that is in its place.
    """
    nodes, room = said.shape[1] - 1, said[:, -1]
    whole = segments_of(body, said)
    dead, found = np.zeros((2, nodes, len(said)))
    left = np.exp(-LOOSE_MIN / LOOSE_TAU_MIN)
    for node in range(nodes):
        off = said.copy()
        off[:, node] = np.nan
        dead[node] = np.square(segments_of(body, off)[:, :17] - skin).mean(1)
        off[:, node] = room + (said[:, node] - room) * left
        found[node] = np.isnan(through(body[:1], off.astype(np.float32))[:, node])
    squares = np.square(whole[:, :17] - skin)
    return {
        "segments": squares,
        "map": squares.mean(1),
        "mean": whole[:, 17] - skin @ AREA,
        "dead": dead.mean(0),
        "found": found.mean(0),
        "false": np.isnan(through(body[:1], said.astype(np.float32))).any(1).astype(np.float64),
    }
