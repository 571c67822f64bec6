"""How small the wire's packing of counts is, how near to the residual's entropy, and how fast, in one run.

Run `python bench/packing.py`. Subpages come over the simulated bus from the simulated MLX90640 as the acquisition reads
them, warmed up unless the row says otherwise; every one is unpacked again and compared.

ratio       all packed bytes, key frames included, to 16 bits for each word packed: 384 pixels, 64 auxiliary words,
            control register, subpage number
bits/pixel  the pixels' block of the subpages between key frames: head, planes and padding
entropy     of a pixel's residual against its key frame, in bits, from the histogram of all residuals of the row
above       bits/pixel to entropy
auxiliary   bytes of the auxiliary block between key frames
worst       largest packed subpage to its raw size
Speeds are subpages a second of one core, best of three passes.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from thermo_core.sensors.mlx90640.counts import (
    DEFAULT_KEY_INTERVAL,
    CountsDecoder,
    CountsEncoder,
    PackedSubpage,
)
from thermo_core.sensors.mlx90640.counts_codes import OWN_PIXELS, RAW_BYTES
from thermo_core.sensors.mlx90640.frames import CONTROL, PIXELS, Subpage
from thermo_core.sensors.mlx90640.registers import subpage_mask
from thermo_core.sensors.mlx90640.settings import Mlx90640Settings
from thermo_device.counters import Counters
from thermo_device.sensors.driver import Place
from thermo_device.sensors.mlx90640.acquisition import PictureSensor
from thermo_sim.hardware import SimulatedHardware
from thermo_sim.scenes import Hand, Scene, breast_patch

SUBPAGES = 1280

T = TypeVar("T")


@dataclass(frozen=True)
class Figures:
    """One row of the table."""

    ratio: float
    bits_per_pixel: float
    entropy: float
    auxiliary: float
    worst: float
    encode_per_s: float
    decode_per_s: float


def main() -> None:
    """Measure and print."""
    rows = [
        ("still, 4 Hz", _capture(breast_patch(1), 4)),
        ("still, 8 Hz", _capture(breast_patch(1), 8)),
        ("still, 8 Hz, warming up", _capture(breast_patch(1), 8, warm_up_tau_s=60.0)),
        ("still, 8 Hz, interleaved", _capture(breast_patch(1), 8, chess=False)),
        ("still, 16 Hz", _capture(breast_patch(1), 16)),
        ("still, 32 Hz", _capture(breast_patch(1), 32)),
        ("moving hand, 32 Hz", _capture(Hand(1), 32)),
        ("random words", _random()),
    ]
    print(
        f"key frame every {DEFAULT_KEY_INTERVAL} subpages of a number, {SUBPAGES} subpages a row, raw {RAW_BYTES} bytes"
    )
    print(f"{'':26}{'ratio':>8}{'bits/pixel':>12}{'entropy':>9}{'above':>8}{'auxiliary':>11}{'worst':>8}", end="")
    print(f"{'encode/s':>10}{'decode/s':>10}")
    for name, subpages in rows:
        row = _measure(subpages)
        above = row.bits_per_pixel / row.entropy - 1
        print(f"{name:26}{row.ratio:8.1%}{row.bits_per_pixel:12.2f}{row.entropy:9.2f}{above:8.1%}", end="")
        print(f"{row.auxiliary:11.1f}{row.worst:8.1%}{row.encode_per_s:10.0f}{row.decode_per_s:10.0f}")


def _capture(scene: Scene, rate_hz: float, chess: bool = True, warm_up_tau_s: float = 0.0) -> list[Subpage]:
    hardware = SimulatedHardware.from_profile(seed=1, scene=scene, bus_hz=1_000_000, warm_up_tau_s=warm_up_tau_s)
    settings = Mlx90640Settings(name="skin", path=(0x33,), rate_hz=rate_hz, pattern="chess" if chess else "interleaved")
    sensor = PictureSensor(settings, Place(0, hardware.bus, hardware.clock, Counters()))
    sensor.start()
    return [sensor.next_subpage() for _ in range(SUBPAGES)]


def _random() -> list[Subpage]:
    rng = np.random.default_rng(1)
    subpages = []
    for index in range(SUBPAGES):
        words = rng.integers(0, 1 << 16, 834, dtype=np.uint16)
        words[CONTROL:] = 0x1901, index % 2
        subpages.append(Subpage(words, index, 0))
    return subpages


def _own(subpage: Subpage) -> NDArray[np.bool_]:
    chess = bool(subpage.words[CONTROL] & 1 << 12)
    return np.concatenate([subpage_mask(subpage.number, chess).reshape(-1), np.ones(66, np.bool_)])


def _measure(subpages: Sequence[Subpage]) -> Figures:
    packed, encode_s = _best(lambda: _encode(subpages))
    decoded, decode_s = _best(lambda: _decode(packed))
    keys: dict[int, NDArray[np.uint16]] = {}
    residuals, pixel_bytes, auxiliary_bytes = [], [], []
    for subpage, out, words in zip(subpages, packed, decoded, strict=True):
        own = _own(subpage)
        if not np.array_equal(words[own], subpage.words[own]):
            raise SystemExit(f"Subpage {subpage.index} did not come back as it was; the packing is broken.")
        pixels = subpage.words[:PIXELS][own[:PIXELS]]
        if out.key:
            keys[out.number] = pixels
            continue
        residuals.append((pixels - keys[out.number]).view(np.int16))
        pixel_bytes.append(_pixel_bytes(out.data))
        auxiliary_bytes.append(len(out.data) - pixel_bytes[-1])
    _, counts = np.unique(np.concatenate(residuals), return_counts=True)
    share = counts / counts.sum()
    sizes = np.array([len(out.data) for out in packed])
    return Figures(
        ratio=float(sizes.mean()) / RAW_BYTES,
        bits_per_pixel=8 * float(np.mean(pixel_bytes)) / OWN_PIXELS,
        entropy=float(-(share * np.log2(share)).sum()),
        auxiliary=float(np.mean(auxiliary_bytes)),
        worst=float(sizes.max()) / RAW_BYTES,
        encode_per_s=len(subpages) / encode_s,
        decode_per_s=len(subpages) / decode_s,
    )


def _pixel_bytes(data: bytes) -> int:
    """Bytes from the start to the end of the pixels' block."""
    k = data[0] >> 4
    if k == 15:
        return int(2 + 2 * OWN_PIXELS)
    at = int(2 + OWN_PIXELS * k // 8)
    ones = np.flatnonzero(np.unpackbits(np.frombuffer(data[at:], np.uint8)))
    return at + int(ones[OWN_PIXELS - 1]) // 8 + 1


def _encode(subpages: Sequence[Subpage]) -> list[PackedSubpage]:
    encoder = CountsEncoder()
    return [encoder.encode(subpage) for subpage in subpages]


def _decode(packed: Sequence[PackedSubpage]) -> list[NDArray[np.uint16]]:
    decoder = CountsDecoder()
    return [decoder.decode(out) for out in packed]


def _best(work: Callable[[], T]) -> tuple[T, float]:
    times = []
    for _ in range(3):
        start = time.process_time()
        result = work()
        times.append(time.process_time() - start)
    return result, min(times)


if __name__ == "__main__":
    main()
