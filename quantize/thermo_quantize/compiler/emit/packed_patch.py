"""Patches for the M0+'s kernels."""

from thermo_quantize.compiler.emit.patch import emit_patch
from thermo_quantize.compiler.emit.unit import Unit
from thermo_quantize.compiler.ir import Conv

_COPY = """
/* Bytes that are whole words on both sides. */
static inline void copy_words(void *to, const void *from, size_t bytes) {
  word_t *words = to;
  const word_t *at = from;
  for (; bytes != 0; bytes -= sizeof *words) {
    *words++ = *at++;
  }
}
"""


def packed_patch(unit: Unit, layer: Conv, position: int) -> str:
    """`emit_patch`, by words where all lies on words: the C library's memcpy may go byte by byte."""
    if any(source.channels % 4 for source in layer.sources):
        return emit_patch(unit, layer, position)
    unit.helper("copy_words", _COPY)
    return emit_patch(unit, layer, position, "copy_words")
