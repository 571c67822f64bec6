"""Generates a wearable's graph: checks that its networks fit, places everything in one memory, writes the C files."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from thermo_core.errors import ModelError
from thermo_core.graph.plan import Node, Plan
from thermo_core.tflite.schema import TensorType
from thermo_core.wearable.profile import Model
from thermo_quantize.compiler.compile import Compiled, placed
from thermo_quantize.compiler.emit.unit import Place
from thermo_quantize.compiler.graph.place import Placement, place
from thermo_quantize.compiler.graph.source import header, source


@dataclass(frozen=True)
class Graph:
    """A generated graph.

    Attributes:
        files: texts by name: NAME.h, NAME.c, and those of the networks.
        placement: where everything lies in its memory.
    """

    files: Mapping[str, str]
    placement: Placement


def generate(plan: Plan, networks: Mapping[str, Compiled], name: str, contained: bool = False) -> Graph:
    """C files of a graph, which need the headers of device/firmware.

    Args:
        plan: a checked profile; `outputs` of its making must be the networks' own.
        networks: compiled, by the names of models, each under a C name of its own.
        name: prefix of files and symbols, a C identifier.
        contained: it is for a container, whose networks are called where the container has them; no files of theirs.

    Raises:
        ModelError: a model has no network, or one that does not fit its signals.
        ProfileError: a resampling gives more samples at once than can be.
    """
    for node in plan.nodes:
        if isinstance(node.what, Model):
            _check(node, node.what, networks.get(node.what.name))
    found = place(plan, networks, states_in_arenas=contained)
    files = {f"{name}.h": header(name, plan, found), f"{name}.c": source(name, plan, networks, found, contained)}
    for number, node in enumerate(plan.nodes):
        if isinstance(node.what, Model) and not contained:
            own = Place(f"{name}_memory", found.arenas[number])
            files |= placed(networks[node.what.name], own).files
    return Graph(files, found)


def _check(node: Node, model: Model, compiled: Compiled | None) -> None:
    if compiled is None:
        raise ModelError(f'The model "{model.name}" has no network; give its .tflite file.')
    network = compiled.network
    if len(network.inputs) != len(node.inputs) or len(network.outputs) != 1:
        raise ModelError(
            f'The network of "{model.name}" has {len(network.inputs)} inputs and {len(network.outputs)} outputs and its model '
            f"{len(node.inputs)} inputs; train one that has as many, and one output."
        )
    for value in (*network.inputs, *network.outputs):
        if value.type is not TensorType.INT8 or value.id not in network.quantization:
            raise ModelError(f'The network of "{model.name}" has an end that is not int8; quantise it fully to int8.')
    for signal, value in zip((*node.inputs, node.gives), (*network.inputs, *network.outputs), strict=True):
        if math.prod(value.shape) != signal.elements:
            raise ModelError(
                f'The network of "{model.name}" has an end of {math.prod(value.shape)} numbers for "{signal.name}" of '
                f"{signal.elements}; name the signals it was trained with, in their order."
            )
