"""What a compiled model costs: products, memory by layer, constants, and an estimate of instructions."""

from typing import Any

from thermo_quantize.compiler.compile import Compiled


def report(compiled: Compiled, code_bytes: int | None = None) -> dict[str, Any]:
    """Facts of the whole and of each layer as plain data; offsets are those in the arena.

    Args:
        compiled: what compile_model gave.
        code_bytes: machine code, where it has been measured.
    """
    plan = compiled.plan
    layers = []
    for position, kernel in enumerate(compiled.kernels):
        layer = kernel.layer
        layers.append(
            {
                "layer": position,
                "operator": layer.title,
                "kernel": type(kernel).__name__,
                "inputs": [list(value.shape) for value in layer.inputs],
                "outputs": [list(value.shape) for value in layer.outputs],
                "macs": layer.macs,
                "live_bytes": plan.live[position],
                "scratch_bytes": kernel.scratch,
                "scratch_at": plan.scratch.get(position),
                "constant_bytes": compiled.layer_table_bytes[position],
                "outputs_at": [plan.values.get(value.id) for value in layer.outputs],
                "instructions_estimate": kernel.instructions,
            }
        )
    return {
        "inputs_at": [plan.values.get(value.id) for value in compiled.network.inputs],
        "layers": layers,
        "macs": sum(kernel.layer.macs for kernel in compiled.kernels),
        "arena_bytes": plan.size,
        "arena_lower_bound_bytes": plan.bound,
        "state_bytes": compiled.state_bytes,
        "constant_bytes": compiled.table_bytes,
        "code_bytes": code_bytes,
        "flash_bytes": None if code_bytes is None else compiled.table_bytes + code_bytes,
        "instructions_estimate": sum(kernel.instructions for kernel in compiled.kernels),
        "notes": list(compiled.network.notes),
    }


def render(facts: dict[str, Any]) -> str:
    """The report as text: a row a layer, then the sums."""
    head = ("", "layer", "output", "MACs", "live B", "scratch B", "output at", "constants B", "instructions (est.)")
    rows = [head]
    for layer in facts["layers"]:
        shapes = " + ".join("x".join(map(str, shape)) for shape in layer["outputs"])
        at = " ".join("constant" if place is None else str(place) for place in layer["outputs_at"])
        numbers = (layer["macs"], layer["live_bytes"], layer["scratch_bytes"])
        cells = [f"{number:,}" for number in numbers]
        estimate, constants = f"{layer['instructions_estimate']:,}", f"{layer['constant_bytes']:,}"
        rows.append((str(layer["layer"]), layer["operator"], shapes, *cells, at, constants, estimate))
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    lines = [
        "  ".join(
            cell.ljust(width) if column in (1, 2) else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    lines.append("")
    lines.append(
        f"products      {facts['macs']:,} MACs, about {facts['instructions_estimate']:,} instructions (estimate)"
    )
    lines.append(
        f"arena         {facts['arena_bytes']:,} B (lower bound of this schedule {facts['arena_lower_bound_bytes']:,} B)"
    )
    if facts["state_bytes"]:
        lines.append(f"state         {facts['state_bytes']:,} B beside the arena, kept from run to run")
    if facts["code_bytes"] is None:
        flash = (
            f"{facts['constant_bytes']:,} B of constants and the code, which is not known without the target's compiler"
        )
    else:
        flash = (
            f"{facts['flash_bytes']:,} B: {facts['constant_bytes']:,} B of constants, {facts['code_bytes']:,} B of code"
        )
        flash += " (arm-none-eabi-gcc -O3, C library not counted)"
    lines.append(f"flash         {flash}")
    return "\n".join(lines)
