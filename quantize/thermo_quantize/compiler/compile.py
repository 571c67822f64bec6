"""Compiles a model: read, lower, fuse, choose kernels, plan memory, write C."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from thermo_core.errors import UsageError
from thermo_core.tflite.reader import read_model
from thermo_quantize.compiler.c_file import bench_glue, header, source
from thermo_quantize.compiler.emit.kernel import Kernel
from thermo_quantize.compiler.emit.state import places
from thermo_quantize.compiler.emit.unit import Place, Unit
from thermo_quantize.compiler.fuse import fuse
from thermo_quantize.compiler.ir import Network
from thermo_quantize.compiler.lower import lower
from thermo_quantize.compiler.memory import NONE, Overlap, Plan, plan_memory
from thermo_quantize.compiler.stream import stream
from thermo_quantize.compiler.targets import TARGETS, Target
from thermo_quantize.compiler.unary import tabulate


@dataclass(frozen=True)
class Compiled:
    """The files' texts by name, and what a report tells of them."""

    name: str
    digest: str
    files: dict[str, str]
    target: Target
    network: Network
    kernels: tuple[Kernel[Any], ...]
    plan: Plan
    table_bytes: int
    layer_table_bytes: tuple[int, ...]
    state_bytes: int = 0


def compile_model(model: bytes, name: str, target: str = "generic", bench: bool = False) -> Compiled:
    """C files of an int8 model.

    Args:
        model: the .tflite file.
        name: prefix of files and functions, a C identifier.
        target: a key of TARGETS.
        bench: also write the glue for mcu_bench's engine.h.

    Raises:
        ModelError: the model is damaged or cannot be compiled.
        UsageError: unknown target, or a name C does not allow.
    """
    if target not in TARGETS:
        raise UsageError(f"There is no target {target!r}; choose one of {', '.join(TARGETS)}.")
    _check_name(name)
    chosen = TARGETS[target]
    network = stream(fuse(tabulate(lower(read_model(model)))), lambda network: plan_network(network, chosen)[1])
    kernels, plan = plan_network(network, chosen)
    return _emitted(name, hashlib.sha256(model).hexdigest(), chosen, network, kernels, plan, None, bench)


def placed(compiled: Compiled, place: Place) -> Compiled:
    """The same network with its arena in memory that others use at other times."""
    one = compiled
    return _emitted(one.name, one.digest, one.target, one.network, one.kernels, one.plan, place)


def by_argument(compiled: Compiled) -> Compiled:
    """The same network, told where its arena lies at each call: its code has no address of its own."""
    one = compiled
    return _emitted(one.name, one.digest, one.target, one.network, one.kernels, one.plan, None, by_argument=True)


def _emitted(
    name: str,
    digest: str,
    target: Target,
    network: Network,
    kernels: Sequence[Kernel[Any]],
    plan: Plan,
    place: Place | None,
    bench: bool = False,
    by_argument: bool = False,
) -> Compiled:
    unit = Unit(name, plan, place, *places(kernels), by_argument=by_argument)
    tables = []
    for position, kernel in enumerate(kernels):
        before = unit.table_bytes
        kernel.emit(unit, position)
        tables.append(unit.table_bytes - before)
    files = {f"{name}.h": header(unit, network, digest), f"{name}.c": source(unit, network, target, digest)}
    if bench:
        files[f"{name}_engine.c"] = bench_glue(unit, network)
    return Compiled(
        name, digest, files, target, network, tuple(kernels), plan, unit.table_bytes, tuple(tables), unit.state_bytes
    )


def plan_network(network: Network, target: Target) -> tuple[tuple[Kernel[Any], ...], Plan]:
    """The target's kernels, and where values lie."""
    kernels = tuple(target.kernel(layer) for layer in network.layers)
    overlaps: dict[tuple[int, int], Overlap] = {}
    for kernel in kernels:
        for number, value in enumerate(kernel.layer.inputs):
            for output in kernel.layer.outputs:
                # A value read twice must allow both ways.
                if kernel.layer.inputs.count(value) > 1 or len(kernel.layer.outputs) > 1:
                    overlaps[value.id, output.id] = NONE
                else:
                    overlaps[value.id, output.id] = kernel.overlap(number)
    return kernels, plan_memory(network, [kernel.scratch for kernel in kernels], overlaps, target.padding)


_KEYWORDS = frozenset(
    "auto break case char const continue default do double else enum extern float for goto if inline int long register "
    "restrict return short signed sizeof static struct switch typedef union unsigned void volatile while".split()
)
_HEADERS = frozenset(
    "arm_acle arm_mve assert complex ctype engine errno fenv float inttypes iso646 limits locale math setjmp signal "
    "stdalign stdarg stdatomic stdbool stddef stdint stdio stdlib stdnoreturn string tgmath threads time uchar wchar "
    "wctype".split()
)


def _check_name(name: str) -> None:
    """Refuse a name C keeps for itself, or whose NAME.h would hide a header that the emitted code includes."""
    problem = ""
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,59}", name):
        problem = "cannot begin the names of C functions"
    elif name.lower() in _KEYWORDS:
        problem = "is a word of the C language"
    elif name.lower() in _HEADERS:
        problem = "is the name of another header"
    if problem:
        raise UsageError(
            f"{name!r} {problem}; give --name a letter and then letters, digits or underscores, at most 60, as in net."
        )
