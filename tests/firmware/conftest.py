"""The firmware's core, compiled for this machine and called through ctypes."""

import ctypes
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from board_probe import PROBE
from board_probe import build as build_board
from bundles import IMAGE
from firmware_library import HARNESS, SWITCHED, build, everything
from firmware_slots import library as slots_library
from firmware_wearable import FirmwareWearable
from numpy.typing import NDArray

from thermo_core.image import load_public_key
from thermo_device.development_key import DEVELOPMENT_PUBLIC_KEY
from thermo_quantize.firmware import generate
from thermo_sim.hardware import SimulatedHardware

WIRE_SIZES = """records_block records_signal records_finding records_alert records_event records_clock framing_encode_frame
framing_packet_bytes wire_receive wire_counter_count cbor_open_array wire_answer wire_store_read"""
PAGE = Path(__file__).resolve().parents[2] / "docs" / "wire.md"
WIRE_FLAGS = "framing_send_packet cbor_find wire_new_flash wire_store_damaged"

Words = NDArray[np.uint16]
Celsius = NDArray[np.float32]


def pointer(array: NDArray[Any]) -> ctypes.c_void_p:
    """Where a contiguous array begins; the caller keeps it alive."""
    assert array.flags.c_contiguous
    return ctypes.c_void_p(array.ctypes.data)


@dataclass
class Decoded:
    """One subpage as the firmware decoded it: (24, 32) degC and validity; Ta, Vdd, gain and compensation."""

    status: int
    celsius: Celsius
    valid: NDArray[np.bool_]
    readings: NDArray[np.float32]


class Numerics:
    """Calls of harness/numerics.c, which has room for one sensor's constants, one encoder, one correction."""

    OK, BAD_EEPROM, BAD_PIXELS, BAD_AUXILIARY, UNDECODABLE, DAMAGED, EMPTY, ARGUMENT = 0, 5, 6, 7, 8, 9, 13, 14
    UNTOUCHED = np.float32(-1)
    """What `decode` leaves in pixels of the other subpage."""

    def __init__(self, library: ctypes.CDLL, soft: bool = False) -> None:
        self.c = library
        self.parity_k = (0.005, 0.02) if soft else (0.001, 0.001)
        """How far temperatures below 45 degC may be from core's, and all others."""
        self._soft = soft
        for name in ("shim_size_of_constants", "shim_counts_encode", "shim_correction_id"):
            getattr(library, name).restype = ctypes.c_size_t

    def extract(self, eeprom: Words) -> tuple[int, bytes, tuple[int, ...], int | None]:
        """Status, device id, bad pixels, address of the first word doubted."""
        device_id, bad = np.zeros(6, np.uint8), np.zeros(14, np.uint16)
        status = self.c.shim_extract(pointer(eeprom), pointer(device_id), pointer(bad))
        if status != self.OK:
            return status, device_id.tobytes(), (), None
        return status, device_id.tobytes(), tuple(sorted(bad[2 : 2 + bad[0]].tolist())), int(bad[1]) or None

    def decode(self, words: Words, emissivity: float = 0.95, reflected: float | None = None) -> Decoded:
        """One subpage of 834 words with the constants extracted last."""
        celsius, valid = np.full((24, 32), self.UNTOUCHED), np.zeros(24, np.uint32)
        readings = np.zeros(5, np.float32)
        mirrored = ctypes.c_float(float("nan") if reflected is None else reflected)
        arrays = map(pointer, (readings, celsius, valid))
        ctypes.c_int.in_dll(self.c, "soft_switch").value = self._soft
        status = self.c.shim_decode(pointer(words), ctypes.c_float(emissivity), mirrored, *arrays)
        mask = (valid[:, None] >> np.arange(32, dtype=np.uint32) & 1).astype(np.bool_)
        return Decoded(status, celsius, mask, readings)

    def interpolate(self, celsius: Celsius, valid: NDArray[np.bool_]) -> int:
        """Fill what is not valid, in place."""
        bits = np.packbits(valid, axis=1, bitorder="little").view("<u4").astype(np.uint32).ravel()
        return int(self.c.interpolate_invalid(pointer(celsius), pointer(bits)))

    def encode(self, words: Words, index: int) -> tuple[bytes, bool, int]:
        """Packed counts, whether a key frame, index of the key frame."""
        packed, key, key_index = np.full(898 + 64, 0xA5, np.uint8), np.zeros(1, np.uint8), np.zeros(1, np.uint32)
        arrays = [pointer(array) for array in (packed, key, key_index)]
        size = self.c.shim_counts_encode(pointer(words), ctypes.c_uint32(index), *arrays)
        assert size <= 898 and (packed[898:] == 0xA5).all()
        return packed[:size].tobytes(), bool(key[0]), int(key_index[0])


@pytest.fixture(scope="session")
def numerics(tmp_path_factory: pytest.TempPathFactory) -> Numerics:
    """Sensor mathematics, packing, thermistors and corrections; undefined behaviour aborts."""
    return Numerics(build(tmp_path_factory.mktemp("numerics"), "numerics", [], *everything(), flags=SWITCHED))


@pytest.fixture(scope="session")
def whole_numerics(numerics: Numerics) -> Numerics:
    """The same as a processor without a floating-point unit has it: pixels in whole numbers where these hold them."""
    return Numerics(numerics.c, soft=True)


@pytest.fixture(scope="session", params=["single precision", "whole numbers"])
def either_numerics(request: pytest.FixtureRequest, numerics: Numerics, whole_numerics: Numerics) -> Numerics:
    """Pixels in single precision, and in whole numbers."""
    return numerics if request.param == "single precision" else whole_numerics


@pytest.fixture(scope="session")
def vectors() -> dict[str, bytes]:
    """Hex blocks of docs/wire.md by name."""
    blocks = re.findall(r"^```hex ([a-z-]+)\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return {name: bytes.fromhex(block) for name, block in blocks}


@pytest.fixture(scope="session")
def wire(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    """The wire side: framing, records, CBOR, SMP server and store of corrections, over a flash that can lose power."""
    library = build(tmp_path_factory.mktemp("wire"), "wire", [], *everything(), HARNESS / "failing_flash.c")
    for name in WIRE_SIZES.split():
        getattr(library, name).restype = ctypes.c_size_t
    for name in WIRE_FLAGS.split():
        getattr(library, name).restype = ctypes.c_bool
    library.wire_counter.restype = ctypes.c_char_p
    library.wire_fed.restype = ctypes.c_float
    return library


@pytest.fixture(scope="session")
def boot(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    """Images, slots and the loader's choice, over a flash that can lose power; undefined behaviour aborts."""
    return slots_library(tmp_path_factory.mktemp("boot"))


@pytest.fixture(scope="session")
def sensors(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    """Decoders and codecs of sensors; undefined behaviour aborts."""
    library = build(tmp_path_factory.mktemp("sensors"), "sensors", [], *everything())
    for name in ("sensors_pack", "sensors_longest"):
        getattr(library, name).restype = ctypes.c_size_t
    for name in ("max3010x", "lis3dh", "sht4x", "tmp117"):
        getattr(library, f"sensors_{name}_decode").restype = ctypes.c_uint16
    return library


@pytest.fixture(scope="session")
def breast_patch_library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    """The whole firmware with the shipped bundle's profile, graph and network."""
    folder = tmp_path_factory.mktemp("wearable")
    key = load_public_key(DEVELOPMENT_PUBLIC_KEY.read_bytes())
    for name, text in generate(IMAGE.read_bytes(), key).files.items():
        (folder / name).write_text(text)
    return build(folder, "wearable", [], *everything(), *sorted(folder.glob("*.c")))


@pytest.fixture(scope="session")
def rp2040(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., bytes]:
    """Firmware of the RP2040, built when it is first asked for: `rp2040(application=None, SLOT="a")`."""
    folders: dict[str | None, Path] = {}
    found: dict[str, bytes] = {}

    def get(application: str | None = PROBE, **variables: str) -> bytes:
        wanted = repr((application, variables))
        if wanted not in found:
            folder = folders.setdefault(application, tmp_path_factory.mktemp("rp2040"))
            found[wanted] = build_board("rp2040", folder, application, **variables).read_bytes()
        return found[wanted]

    return get


@pytest.fixture
def make(breast_patch_library: ctypes.CDLL) -> Callable[..., FirmwareWearable]:
    """A wearable on hardware of its own: `make(seed=3, faults="nack@7", bytes_per_s=...)`."""

    def made(seed: int = 6, faults: str = "", **options: Any) -> FirmwareWearable:
        hardware = SimulatedHardware.from_profile(seed=seed, bus_hz=1_000_000, faults=faults, warm_up_tau_s=0)
        return FirmwareWearable(breast_patch_library, hardware, **options)

    return made
