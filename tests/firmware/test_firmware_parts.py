"""What C's stages are made of: float32 arithmetic, ranks, quantisation and flags, bit for bit as core has them."""

import ctypes
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from firmware_library import FIRMWARE, SWITCHED, build
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray
from sensor_recordings import plain_bytes

from thermo_core import float32
from thermo_core.quality import DOUBTFUL, NO_VALUE, Quality
from thermo_core.stages import OPS
from thermo_core.stages.stage import Elementwise, Latched, Recursive, Regridded, Remembering
from thermo_core.tflite.ends import End

KINDS = (Elementwise, Remembering, Recursive, Latched, Regridded)
"""In the order of `enum stage_kind`."""

Floats = NDArray[np.float32]

floats = arrays.arrays(np.float32, st.integers(1, 300), elements=st.floats(width=32))
few = arrays.arrays(np.float32, st.integers(1, 300), elements=st.sampled_from([-1.5, -0.0, 0.0, 1.0, np.inf, np.nan]))


@pytest.fixture(scope="module")
def c(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    stages = sorted((FIRMWARE / "stages").glob("*.c"))
    library = build(
        tmp_path_factory.mktemp("parts"),
        "parts",
        ["board", "container", "text", "elapsed", "float32", "soft_float", "learner", "network", "order"],
        *stages,
        flags=SWITCHED,
    )
    for name in ("shim_total", "shim_mean", "shim_product", "shim_ranked"):
        getattr(library, name).restype = ctypes.c_float
    library.shim_stage.restype = ctypes.c_char_p
    return library


def set_soft(library: ctypes.CDLL, soft: bool) -> None:
    """Have it work as on a processor without floats, or not."""
    ctypes.c_int.in_dll(library, "soft_switch").value = soft


@pytest.fixture(params=["floats", "whole numbers"], scope="module")
def either(request: pytest.FixtureRequest, c: ctypes.CDLL) -> Iterator[ctypes.CDLL]:
    """The library on floats, and on whole numbers where a processor has no floats."""
    set_soft(c, request.param == "whole numbers")
    yield c
    set_soft(c, False)


def pointer(array: NDArray[np.generic]) -> ctypes.c_void_p:
    assert array.flags.c_contiguous
    return ctypes.c_void_p(array.ctypes.data)


def every_exponent() -> Floats:
    """Random mantissas of every exponent and sign, then numbers near those where exp and rounding change."""
    rng = np.random.default_rng(0)
    exponents = np.repeat(np.arange(512, dtype=np.uint32), 500)
    bits = exponents << 23 | rng.integers(0, 1 << 23, exponents.size, np.uint32)
    near = np.float32(np.concatenate([rng.uniform(-90, 90, 100_000), np.arange(-200, 200) / 2]))
    return np.concatenate([bits.view(np.float32), near])


@pytest.mark.parametrize("name", ["log", "log10", "exp"])
def test_functions_have_the_bits_of_core(c: ctypes.CDLL, name: str) -> None:
    values = every_exponent()
    results = np.empty_like(values)
    getattr(c, f"shim_{name}")(pointer(values), pointer(results), ctypes.c_size_t(values.size))
    assert plain_bytes(results) == plain_bytes(getattr(float32, name)(values))


def test_rounding_is_half_to_even(c: ctypes.CDLL) -> None:
    values = every_exponent()
    values = np.concatenate([values[np.abs(values) <= 2**22], np.array([2**22, -(2**22), 2097151.5], np.float32)])
    results = np.empty(values.size, np.int32)
    c.shim_round(pointer(values), pointer(results), ctypes.c_size_t(values.size))
    np.testing.assert_array_equal(results, np.rint(values).astype(np.int32))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@given(floats, st.integers(1, 4))
def test_sums_are_in_order(c: ctypes.CDLL, values: Floats, stride: int) -> None:
    taken = values[::stride]
    arguments = pointer(values), ctypes.c_uint32(len(taken)), ctypes.c_uint32(stride)
    assert plain_bytes(np.asarray(c.shim_total(*arguments), np.float32)) == plain_bytes(float32.total(taken))
    assert plain_bytes(np.asarray(c.shim_mean(*arguments), np.float32)) == plain_bytes(float32.mean(taken))
    other = np.ascontiguousarray(values[: len(taken)])
    product = c.shim_product(pointer(other), *arguments)
    assert plain_bytes(np.asarray(product, np.float32)) == plain_bytes(
        float32.products(other[np.newaxis], taken[np.newaxis])[0, 0]
    )


@given(st.one_of(floats, few), st.integers(1, 3), st.integers(0, 2**31))
def test_ranks_are_those_of_sorting(c: ctypes.CDLL, values: Floats, stride: int, rank: int) -> None:
    taken = values[::stride]
    ascending = np.sort(taken[~np.isnan(taken)])
    arguments = pointer(values), ctypes.c_uint32(len(taken)), ctypes.c_uint32(stride)
    assert c.shim_known(*arguments) == len(ascending)
    if not len(ascending):
        return
    rank %= len(ascending)
    following = np.zeros(1, np.float32)
    found = c.shim_ranked(*arguments, ctypes.c_uint32(rank), pointer(following))
    assert [found, following[0]] == [ascending[rank], ascending[min(rank + 1, len(ascending) - 1)]]
    assert not np.signbit(found) or found < 0


@pytest.mark.parametrize("count", [65, 768, 65_536])
@pytest.mark.parametrize("spread", [0.0, 1e-6, 1.0, 1e37])
def test_ranks_of_many(c: ctypes.CDLL, count: int, spread: float) -> None:
    rng = np.random.default_rng(count)
    values = np.asarray(34 + spread * rng.normal(size=count), np.float32)
    values[: count // 3] = values[0]
    ascending = np.sort(values)
    following = np.zeros(1, np.float32)
    for rank in {0, 1, count // 3 - 1, count // 3, (count - 1) // 2, count - 2, count - 1}:
        found = c.shim_ranked(pointer(values), count, 1, rank, pointer(following))
        assert [found, following[0]] == [ascending[rank], ascending[min(rank + 1, count - 1)]]


@given(
    arrays.arrays(np.float32, st.integers(1, 50), elements=st.floats(width=32, allow_infinity=False, allow_nan=False)),
    st.floats(2.0**-20, 2.0**20, width=32),
    st.integers(-128, 127),
)
def test_quantising_is_cores(either: ctypes.CDLL, values: Floats, scale: float, zero_point: int) -> None:
    quantised = np.zeros(values.size, np.int8)
    end = ctypes.c_float(scale), ctypes.c_int8(zero_point)
    assert either.shim_quantise(*end, pointer(values), values.size, pointer(quantised)) == 1
    np.testing.assert_array_equal(quantised, End(values.shape, scale, zero_point).quantize(values))


def test_quantising_saturates_and_stops_where_there_is_no_value(either: ctypes.CDLL) -> None:
    end = ctypes.c_float(0.5), ctypes.c_int8(3)
    quantised = np.zeros(3, np.int8)
    values = np.array([np.inf, -np.inf, -3e38], np.float32)
    assert either.shim_quantise(*end, pointer(values), 3, pointer(quantised)) == 1
    assert quantised.tolist() == [127, -128, -128]
    for bits in (0x7FC00000, 0xFFC00000, 0x7F800001, 0xFFFFFFFF):
        assert either.shim_quantise(*end, pointer(np.array([bits], np.uint32)), 1, pointer(quantised)) == 0


@pytest.mark.parametrize("scale", [0.5, 0.01701791025698185, 0.1, 3e-5])
def test_quantising_rounds_where_the_quotient_decides(either: ctypes.CDLL, scale: float) -> None:
    """Each side of all halves: quotients that are halves by their rounding alone, and their neighbours."""
    halves = (np.arange(-300, 300) + 0.5).astype(np.float32) * np.float32(scale)
    values = np.concatenate([halves, *(np.nextafter(halves, np.float32(way)) for way in (-np.inf, np.inf))])
    quantised = np.zeros(values.size, np.int8)
    end = ctypes.c_float(scale), ctypes.c_int8(-8)
    assert either.shim_quantise(*end, pointer(values), values.size, pointer(quantised)) == 1
    np.testing.assert_array_equal(quantised, End(values.shape, scale, -8).quantize(values))


OPERATIONS: dict[str, np.ufunc] = {"+": np.add, "*": np.multiply, "/": np.divide}
EDGES = [0, 1, 2, 0x7FFFFF, 0x800000, 0x800001, 0x33800000, 0x34000000, 0x3F7FFFFF, 0x3F800000, 0x4B400000, 0x7F7FFFFF,
         0x7F800000, 0x7F800001, 0x7FC00000]  # fmt: skip
"""Bits of zero, subnormals, one and its neighbours, the largest, infinity and NaN."""


def pairs(kind: str) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """Bits of floats to compute with."""
    rng = np.random.default_rng(len(kind))
    a, b = rng.integers(0, 1 << 32, (2, 200_000), np.uint32)
    if kind == "near":  # exponents that differ little, where sums cancel and are rounded
        exponents = (a >> 23 & 0xFF).astype(np.int64) + rng.integers(-26, 27, a.size)
        b = (b & 0x807FFFFF) | (exponents.clip(0, 255).astype(np.uint32) << 23)
    elif kind == "edges":
        a, b = (
            rng.choice(np.array(EDGES, np.uint32), a.size) ^ (bits & 0x80000000) ^ (bits >> 5 & 1) for bits in (a, b)
        )
    return a, b


@pytest.mark.parametrize("kind", ["any", "near", "edges"])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_floats_on_whole_numbers_have_the_processors_bits(c: ctypes.CDLL, operation: str, kind: str) -> None:
    a, b = pairs(kind)
    results = np.empty_like(a)
    c.shim_soft(ctypes.c_char(operation.encode()), pointer(a), pointer(b), pointer(results), ctypes.c_size_t(a.size))
    with np.errstate(all="ignore"):
        wanted = OPERATIONS[operation](a.view(np.float32), b.view(np.float32))
    same = results == wanted.view(np.uint32)
    assert (same | (np.isnan(wanted) & np.isnan(results.view(np.float32)))).all()


@pytest.mark.parametrize(("kind", "dtype"), [("s", np.int32), ("u", np.uint32)])
def test_whole_numbers_become_the_nearest_float(c: ctypes.CDLL, kind: str, dtype: type[np.generic]) -> None:
    rng = np.random.default_rng(0)
    some = rng.integers(0, 1 << 32, 200_000, np.uint32) >> rng.integers(0, 32, 200_000).astype(np.uint32)
    a = np.concatenate([some, np.uint32(0) - some, np.array([0, 1, 1 << 31, 0xFFFFFFFF], np.uint32)])
    results = np.empty_like(a)
    c.shim_soft(ctypes.c_char(kind.encode()), pointer(a), pointer(a), pointer(results), ctypes.c_size_t(a.size))
    np.testing.assert_array_equal(results.view(np.float32), a.view(dtype).astype(np.float32))


def test_long_whole_numbers_become_the_nearest_float(c: ctypes.CDLL) -> None:
    rng = np.random.default_rng(0)
    some = rng.integers(0, 1 << 64, 200_000, np.uint64) >> rng.integers(0, 64, 200_000).astype(np.uint64)
    halves = np.uint64(0x1000001) << np.arange(40, dtype=np.uint64)
    ties = np.concatenate(
        [
            halves - np.uint64(1),
            halves,
            halves + np.uint64(1),
            halves + (np.uint64(2) << np.arange(40, dtype=np.uint64)),
        ]
    )
    ends = np.array([0, 1, (1 << 32) - 1, 1 << 32, 1 << 63, (1 << 64) - 1], np.uint64)
    a = np.concatenate([some, np.uint64(0) - some, ties, np.uint64(0) - ties, ends])
    results = np.empty(a.size, np.float32)
    c.shim_whole(pointer(a), pointer(results), ctypes.c_size_t(a.size))
    np.testing.assert_array_equal(results, a.view(np.int64).astype(np.float32))


def test_the_registry_has_every_operation(c: ctypes.CDLL) -> None:
    names = [c.shim_stage(number) for number in range(len(OPS))]
    assert names == [name.encode() for name in sorted(OPS)] and c.shim_stage(len(OPS)) is None
    for name, op in OPS.items():
        assert c.shim_found(name.encode()) == KINDS.index(type(op))
    assert c.shim_found(b"nothing") == -1


def test_flags_have_the_bits_of_core(tmp_path: Path) -> None:
    checks = [f'_Static_assert(QUALITY_{flag.name} == {int(flag)}, "{flag.name}");' for flag in Quality]
    checks.append(f'_Static_assert(QUALITY_DOUBTFUL == {int(DOUBTFUL)}, "doubtful");')
    checks.append(f'_Static_assert(QUALITY_NO_VALUE == {int(NO_VALUE)}, "no value");')
    source = tmp_path / "flags.c"
    source.write_text("\n".join(['#include "quality.h"', *checks]))
    table = (FIRMWARE / "core" / "wire_table.h").read_text()
    assert table.count("  QUALITY_") == len(Quality)
    subprocess.run(["gcc", "-std=c11", f"-I{FIRMWARE}/core", "-c", str(source), "-o", str(tmp_path / "o")], check=True)
