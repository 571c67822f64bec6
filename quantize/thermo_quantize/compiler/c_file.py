"""The whole C files: public header, source, and the glue for mcu_bench."""

from thermo_core.errors import ModelError
from thermo_core.tflite.schema import TensorType
from thermo_quantize.compiler.emit import state
from thermo_quantize.compiler.emit.unit import Unit, c_type, comment, indent, shape_text
from thermo_quantize.compiler.ir import Network, Value
from thermo_quantize.compiler.memory import ALIGNMENT
from thermo_quantize.compiler.targets import Target

# Why noipa. With two pointers of different strides into the arena, GCC 12.2 (-O1 and up, any processor) rewrites the store as
# MEM[(float *)0B + base + index * 4] (-fdump-tree-ivopts); its pass local-pure-const2 then says "NULL memory access;
# terminating BB" and "Function found to be pure", and the caller's call goes as dead code. Shortest example: a noinline
# function `float *out = (float *)arena; const signed char *in = arena + 120; for (i < 40) out[i] = in[i];` on a static array.
# tests/quantize/test_compiler_ends.py (float ends) fails with noinline alone.
_LAYER = """
/* Layers stay functions of their own: compilers run out of registers in one large function. GCC 12 must not look into them
   from outside either: it takes a store through a pointer it has rewritten for one to address 0, calls the layer free of
   effects, and drops its calls. */
#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ >= 8
#define LAYER __attribute__((noipa))
#elif defined(__GNUC__)
#define LAYER __attribute__((noinline))
#else
#define LAYER
#endif
"""


def _ends(unit: Unit, network: Network) -> list[tuple[str, Value, bool]]:
    """(function, value, is an output) of each end."""
    found = []
    for word, values in (("input", network.inputs), ("output", network.outputs)):
        for number, value in enumerate(values):
            suffix = "" if len(values) == 1 else f"_{number}"
            found.append((f"{unit.name}_{word}{suffix}", value, word == "output"))
    return found


def header(unit: Unit, network: Network, digest: str) -> str:
    """NAME.h."""
    guard = f"{unit.name.upper()}_H"
    parts = []
    for function, value, is_output in _ends(unit, network):
        macro = function.upper()
        text = f'/* "{comment(value.name)}", {shape_text(value)}'
        if value.id in network.quantization and value.type is not TensorType.FLOAT32:
            factor, zero_point = network.quantization[value.id]
            text += f": real = {factor!r} * (q - {zero_point})"
            parts_q = f"#define {macro}_SCALE {float(factor).hex()}f\n#define {macro}_ZERO_POINT ({zero_point})\n"
        else:
            parts_q = ""
        const = "const " if is_output else ""
        where = f"{const}{c_type(value)} *{function}(void);"
        if unit.by_argument:
            where = f"#define {macro}_AT {end_at(unit, value)} /* byte of the arena */"
        parts.append(f"{text} */\n#define {macro}_ELEMENTS {value.elements}\n{parts_q}{where}\n")
    body = "\n".join(parts)
    return f"""/* A network compiled by thermo-quantize from the .tflite file with SHA-256
   {digest}.

   Write the input, call {unit.name}_invoke(), read the output. The input is overwritten by each run; the output stays
   {_stays(unit)}. One network is one set of static buffers: calls must not overlap. */
#ifndef {guard}
#define {guard}

#include <stdint.h>

#ifdef __cplusplus
extern "C" {{
#endif

#define {unit.name.upper()}_ARENA_BYTES {_arena_bytes(unit)}
{state.macro(unit.name, unit.state_bytes)}
{body}
void {unit.name}_invoke({unit.parameter or "void"});
{state.prototype(unit.name, unit.state_bytes, unit.parameter)}
#ifdef __cplusplus
}}
#endif

#endif
"""


def _arena_bytes(unit: Unit) -> int:
    return max(unit.plan.size, 1)


def end_at(unit: Unit, value: Value) -> int:
    """Byte of the arena where an input or output begins.

    Raises:
        ModelError: it is a constant.
    """
    if value.data is not None:
        raise ModelError(f'"{value.name}" is a constant, which a network without addresses cannot give; train it anew.')
    return unit.plan.values[value.id]


def state_at(unit: Unit) -> int:
    """Byte behind the arena where states begin that lie with it."""
    return -(-_arena_bytes(unit) // ALIGNMENT) * ALIGNMENT


def _stays(unit: Unit) -> str:
    return "until the next" if unit.place is None else f"until {unit.place.symbol} is used for something else"


def _arena(unit: Unit) -> str:
    if unit.by_argument:
        return ""
    if unit.place is None:
        return f"static _Alignas(16) int8_t arena[{unit.name.upper()}_ARENA_BYTES];"
    symbol, at = unit.place.symbol, unit.place.at
    return f"extern _Alignas(16) uint8_t {symbol}[];\n#define arena ((int8_t *){symbol} + {at})"


def source(unit: Unit, network: Network, target: Target, digest: str) -> str:
    """NAME.c."""
    # Addresses come before tables: a constant input becomes a table when its address is first asked for.
    ends = []
    for function, value, is_output in () if unit.by_argument else _ends(unit, network):
        const = "const " if is_output else ""
        cast = f"({const}{c_type(value)} *)"
        ends.append(f"{const}{c_type(value)} *{function}(void) {{\n  return {cast}{unit.address(value)};\n}}")
    if unit.state_bytes:
        unit.includes.add("<string.h>")
    includes = "\n".join(f"#include {name}" for name in sorted(unit.includes | {"<stdint.h>"}))
    blocks = [
        f"/* Compiled by thermo-quantize for {target.name} ({target.summary}) from the .tflite file with SHA-256\n   {digest}. */",
        f'#include "{unit.name}.h"\n\n{includes}',
        target.guard,
        _LAYER.strip(),
        _arena(unit),
        state.array(unit.name, unit.state_bytes, state_at(unit) if unit.by_argument else None),
        *unit.tables,
        *unit.helpers.values(),
        *unit.functions,
        *ends,
        f"void {unit.name}_invoke({unit.parameter or 'void'}) {{\n{indent(chr(10).join(unit.calls) or ';')}\n}}",
        state.reset(unit.name, unit.state_bytes, unit.parameter),
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def bench_glue(unit: Unit, network: Network) -> str:
    """The functions mcu_bench's engine.h asks for."""
    values = (*network.inputs, *network.outputs)
    if len(values) != 2 or any(value.type is not TensorType.INT8 for value in values):
        raise ModelError("mcu_bench needs a model with one int8 input and one int8 output; compile it without --bench.")
    name = unit.name
    return f"""/* {name} behind mcu_bench's engine.h. */
#include "engine.h"

#include "{name}.h"

int engine_init(void) {{
  return 0;
}}

int8_t *engine_input(void) {{
  return {name}_input();
}}

int engine_invoke(void) {{
  {name}_invoke();
  return 0;
}}

const int8_t *engine_output(void) {{
  return {name}_output();
}}

uint32_t engine_arena_bytes(void) {{
  return {name.upper()}_ARENA_BYTES{f" + {name.upper()}_STATE_BYTES" * bool(unit.state_bytes)};
}}
"""
