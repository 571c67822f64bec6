"""Floats of an emulated Cortex-M0+, which the firmware serves itself, against this machine's, bit for bit."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from firmware_graph import emulate, emulated_program
from firmware_library import FIRMWARE
from numpy.typing import NDArray
from processors import M0PLUS

PAIRS = 6000
EDGES = [0, 1, 0x7FFFFF, 0x800000, 0x3F7FFFFF, 0x3F800000, 0x7F7FFFFF, 0x7F800000, 0x7FC00000]
"""Bits of zero, subnormals, one and its neighbour, the largest, infinity and NaN."""

PROGRAM = """
#include <stdint.h>
#include "pairs.h"
void say(const char *text);
static void show(float value) {
  uint32_t bits;
  __builtin_memcpy(&bits, &value, sizeof bits);
  char text[10] = {0};
  for (int i = 0; i < 8; i++) {
    text[i] = "0123456789abcdef"[bits >> (28 - 4 * i) & 15U];
  }
  text[8] = '\\n';
  say(text);
}
int main(void) {
  for (unsigned i = 0; i < sizeof a / sizeof a[0]; i++) {
    float x, y;
    __builtin_memcpy(&x, &a[i], sizeof x);
    __builtin_memcpy(&y, &b[i], sizeof y);
    show(x + y);
    show(x - y);
    show(x * y);
    show(x / y);
    show((float)(int32_t)a[i]);
    show((float)b[i]);
  }
  return 0;
}
"""


def pairs() -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """Bits of any floats; of such whose exponents differ little, so that sums cancel and are rounded; and of edges."""
    rng = np.random.default_rng(3)
    a, b = rng.integers(0, 1 << 32, (2, PAIRS), np.uint32)
    near = slice(PAIRS // 4, None)
    exponents = (a[near] >> 23 & 0xFF).astype(np.int64) + rng.integers(-26, 27, a[near].size)
    b[near] = (b[near] & 0x807FFFFF) | (exponents.clip(0, 255).astype(np.uint32) << 23)
    close = slice(PAIRS // 2, 3 * PAIRS // 4)  # differ in the last bits alone
    b[close] = (a[close] ^ 0x80000000) + rng.integers(0, 1 << rng.integers(1, 20), a[close].size, np.uint32)
    every = np.array([one ^ sign for one in EDGES for sign in (0, 1 << 31)], np.uint32)
    return np.concatenate([a, np.repeat(every, every.size)]), np.concatenate([b, np.tile(every, every.size)])


def test_the_m0plus_has_the_bits_of_ieee_754(tmp_path: Path) -> None:
    if not shutil.which("arm-none-eabi-gcc") or not shutil.which("qemu-system-arm"):
        pytest.skip("hardware absent: no emulator (qemu-system-arm / arm-none-eabi-gcc not installed)")
    a, b = pairs()
    tables = [
        f"static const uint32_t {name}[] = {{{','.join(map(str, of.tolist()))}}};" for name, of in (("a", a), ("b", b))
    ]
    (tmp_path / "pairs.h").write_text("\n".join(tables))
    (tmp_path / "main.c").write_text(PROGRAM)
    said = emulate(
        emulated_program([tmp_path / "main.c", FIRMWARE / "core/soft_float.c"], tmp_path, M0PLUS), processor=M0PLUS
    )
    found = np.array([int(line, 16) for line in said.split()], np.uint32).reshape(-1, 6).view(np.float32)
    x, y = a.view(np.float32), b.view(np.float32)
    with np.errstate(all="ignore"):
        results = [x + y, x - y, x * y, x / y, a.view(np.int32).astype(np.float32), b.astype(np.float32)]
    wanted = np.stack(results, axis=1)
    same = found.view(np.uint32) == wanted.view(np.uint32)
    assert (same | (np.isnan(found) & np.isnan(wanted))).all()
