"""Damaged EEPROMs, pages and calibrations under AddressSanitizer: nothing reads or writes out of bounds."""

import struct
import subprocess
import zlib
from pathlib import Path

import numpy as np
import pytest
from firmware_graph import sanitised_program
from firmware_library import FIRMWARE, HARNESS, everything

from thermo_core.sensors.ads1115_ntc.correction import CurveCorrection
from thermo_core.sensors.ads1115_ntc.thermistor import SteinhartHart
from thermo_core.sensors.correction import Correction, to_bytes
from thermo_core.sensors.mlx90640.correction import PixelCorrection

EEPROM, CORRECTION, COUNTS = range(3)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """harness/hostile.c with the fuzz target of the EEPROM."""
    return sanitised_program(
        [HARNESS / "hostile.c", FIRMWARE / "fuzz" / "fuzz_eeprom.c"],
        tmp_path_factory.mktemp("hostile"),
        "hostile",
        everything(),
    )


def survives(program: Path, cases: list[tuple[int, bytes]]) -> None:
    given = b"".join(struct.pack("<II", kind, len(data)) + data for kind, data in cases)
    done = subprocess.run([str(program)], input=given, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()[-3000:]


def mutated(rng: np.random.Generator, data: bytes) -> bytes:
    """Some bits flipped, some words replaced, sometimes cut."""
    words = np.frombuffer(data, np.uint8).copy()
    for _ in range(rng.integers(0, 6)):
        words[rng.integers(0, words.size)] ^= 1 << rng.integers(0, 8)
    for _ in range(rng.integers(0, 3)):
        words[rng.integers(0, words.size)] = rng.choice([0, 1, 0x7F, 0x80, 0xFF])
    return words.tobytes()[: rng.integers(0, words.size + 1) if rng.random() < 0.1 else words.size]


def test_sensors(hostile: Path) -> None:
    seeds = sorted((FIRMWARE / "fuzz" / "corpus" / "eeprom").iterdir())
    assert seeds
    rng = np.random.default_rng(1)
    survives(hostile, [(EEPROM, mutated(rng, path.read_bytes())) for path in seeds for _ in range(300)])


def test_corrections(hostile: Path) -> None:
    rng = np.random.default_rng(2)
    curve = SteinhartHart(1.129241e-3, 2.341077e-4, 8.775468e-8)
    zero, bad = np.zeros((24, 32), np.float32), rng.random((24, 32)) < 0.4
    cases = []
    curves = [CurveCorrection((curve,) * channels) for channels in (1, 2, 4)]
    every: list[Correction] = [PixelCorrection(zero, zero + 1, zero, bad), *curves]
    for correction in every:
        whole = to_bytes(correction)
        cases.append((CORRECTION, whole))
        for _ in range(100):
            damaged = mutated(rng, whole)
            cases.append((CORRECTION, damaged[:-4] + struct.pack("<I", zlib.crc32(damaged[:-4]))))
        header = bytearray(whole)
        for value in range(256):
            header[4 + value % 4] = value
            cases.append((CORRECTION, bytes(header[:-4]) + struct.pack("<I", zlib.crc32(header[:-4]))))
    survives(hostile, cases)


def test_pages(hostile: Path) -> None:
    rng = np.random.default_rng(3)
    cases = []
    for _ in range(500):
        spread = 2.0 ** rng.uniform(-1, 16)
        words = rng.normal(rng.uniform(-40_000, 40_000), spread, 832).astype(np.int64).astype("<u2")
        control = int(rng.choice([0x1901, 0x0901, 0xFFFF]))
        cases.append((COUNTS, words.tobytes() + struct.pack("<HB", control, rng.integers(0, 3))))
    survives(hostile, cases)
