"""EEPROM contents of an MLX90640, made from a seed with the spread of real sensors.

`EepromParameters` says what a sensor's constants shall be; `encode` writes them in the fields of the datasheet's
section 11.2. Figures of spread (sensitivity map, offsets by row parity, compensation) follow two real sensors.
"""

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from thermo_core.errors import UsageError
from thermo_core.sensors.mlx90640.frames import COLUMNS, PIXELS, ROWS, Words
from thermo_core.sensors.mlx90640.registers import CONTROL_DEFAULT, EEPROM_WORDS, I2C_ADDRESS_DEFAULT

Map = NDArray[np.float64]

# Scales (binary places) that both real sensors share; the encoder keeps to them.
_ALPHA_SCALE, _ALPHA_ROW, _ALPHA_COLUMN, _ALPHA_REMAINDER = 38, 8, 9, 5
_OFFSET_ROW, _OFFSET_COLUMN, _OFFSET_REMAINDER = 2, 1, 0
_KTA_SCALE, _KTA_REMAINDER, _KV_SCALE = 13, 2, 4
_CP_ALPHA_SCALE = _ALPHA_SCALE - 3
_KS_TO_SCALE = 17


@dataclass(frozen=True)
class EepromParameters:
    """A sensor's constants in the units of the datasheet's formulas.

    Attributes:
        alpha: (24, 32) sensitivity in counts/K^4, before TGC is taken off.
        offset: (24, 32) counts at 25 degC and 3.3 V.
        kta: (24, 32) relative change of the offset a kelvin of die temperature.
        kv: (2, 2) relative change of the offset a volt of supply, by row and column parity.
        broken: pixels (row * 32 + column) whose word is zero.
        outlier: pixels flagged as outliers.
    """

    alpha: Map
    offset: Map
    kta: Map
    kv: Map
    vdd25: int = -12544
    k_vdd: int = -3200
    kv_ptat: float = 9 / 4096
    kt_ptat: float = 42.625
    v_ptat25: int = 12196
    alpha_ptat: float = 9.0
    gain: int = 5580
    tgc: float = 0.0
    ks_ta: float = -20 / 8192
    ks_to: tuple[float, float, float, float] = (-0.0004, -0.00045, -0.0006, -0.0008)
    ct2: int = 120
    ct3: int = 240
    cp_alpha: tuple[float, float] = (2.9e-9, 2.92e-9)
    cp_offset: tuple[int, int] = (-69, -65)
    cp_kta: float = 35 / 8192
    cp_kv: float = 6 / 16
    il_chess_c: tuple[float, float, float] = (0.5, 3.5, 0.0)
    resolution_code: int = 2
    chess_calibrated: bool = True
    device_id: tuple[int, int, int] = (0x1710, 0xA224, 0x0185)
    i2c_address: int = I2C_ADDRESS_DEFAULT & 0xFF
    broken: tuple[int, ...] = field(default=())
    outlier: tuple[int, ...] = field(default=())


def random_parameters(seed: int) -> EepromParameters:
    """A sensor with realistic spread: sensitivity falls to about 0.55 in the corners, offsets and drift go by parity.

    Args:
        seed: of everything random; the same seed is the same sensor.
    """
    rng = np.random.default_rng([seed, 0xEE])
    rows, columns = np.arange(ROWS)[:, None], np.arange(COLUMNS)[None, :]
    centre_row, centre_column = 11.5 + rng.normal(0, 0.4), 15.5 + rng.normal(0, 1.0)
    fall_off = 1 - 0.19 * ((rows - centre_row) / 12) ** 2 - 0.24 * (np.abs(columns - centre_column) / 16) ** 2.5
    alpha = rng.normal(5.6e-8, 2.0e-9) * fall_off * (1 + rng.normal(0, 0.008, (ROWS, COLUMNS)))

    odd_rows = np.where(rows % 2 == 1, -(1 + rows / 8), 1 - rows / 24)
    odd_columns = np.where(columns % 2 == 1, -0.25 * columns / 4, 0.5)
    offset = rng.normal(-60, 3) + 3.5 * odd_rows + 2.5 * odd_columns + rng.normal(0, 3.2, (ROWS, COLUMNS))

    kta = np.zeros((ROWS, COLUMNS))
    for row_parity in range(2):
        for column_parity in range(2):
            kta[row_parity::2, column_parity::2] = rng.normal(56, 3) / 2**_KTA_SCALE
    kta += rng.normal(0, 2.6, (ROWS, COLUMNS)) / 2**_KTA_SCALE
    kv = rng.integers(5, 8, (2, 2)) / 2**_KV_SCALE

    ks_to = (np.array([-52, -59, -79, -105]) + rng.integers(-4, 5, 4)) / 2**_KS_TO_SCALE
    cp_alpha = rng.normal(2.9e-9, 1.5e-10)
    cp_offset = int(rng.integers(-80, -60))
    return EepromParameters(
        alpha=alpha,
        offset=offset,
        kta=kta,
        kv=kv,
        vdd25=32 * int(rng.integers(-396, -388)),
        k_vdd=-32 * int(rng.integers(97, 104)),
        kv_ptat=int(rng.integers(7, 12)) / 4096,
        kt_ptat=int(rng.integers(336, 347)) / 8,
        v_ptat25=int(rng.integers(12100, 12300)),
        gain=int(rng.integers(5500, 6100)),
        ks_ta=int(rng.integers(-22, -9)) / 8192,
        ks_to=(ks_to[0], ks_to[1], ks_to[2], ks_to[3]),
        cp_alpha=(cp_alpha, cp_alpha * (1 + rng.normal(0, 0.01))),
        cp_offset=(cp_offset, cp_offset + int(rng.integers(-4, 5))),
        cp_kta=int(rng.integers(33, 37)) / 8192,
        il_chess_c=(int(rng.integers(-8, 9)) / 16, int(rng.integers(2, 9)) / 2, int(rng.integers(-2, 3)) / 8),
        device_id=(int(rng.integers(0x0D00, 0x1F00)), int(rng.integers(1 << 16)), 0x0180 | int(rng.integers(16))),
    )


def generate(
    seed: int,
    broken: tuple[int, ...] = (),
    outlier: tuple[int, ...] = (),
    tgc: float = 0.0,
    i2c_address: int = I2C_ADDRESS_DEFAULT & 0xFF,
) -> Words:
    """EEPROM words, (832,) uint16, of the sensor that `random_parameters` makes.

    Args:
        seed: of the sensor.
        broken: pixels (row * 32 + column) marked as broken.
        outlier: pixels marked as outliers.
        tgc: thermal gradient coefficient; 0 on sensors sold today.
        i2c_address: 7-bit.

    Raises:
        UsageError: a pixel number or the TGC does not fit.
    """
    parameters = replace(random_parameters(seed), broken=broken, outlier=outlier, tgc=tgc, i2c_address=i2c_address)
    return encode(parameters)


def encode(parameters: EepromParameters) -> Words:
    """Write constants in the EEPROM's fields, each rounded to its step; (832,) uint16.

    Raises:
        UsageError: a constant does not fit its field.
    """
    p = parameters
    for pixel in (*p.broken, *p.outlier):
        if not 0 <= pixel < PIXELS:
            raise UsageError(f"Pixel {pixel} does not exist; number them 0 to {PIXELS - 1} by row * 32 + column.")
    words = np.zeros(EEPROM_WORDS, dtype=np.int64)
    words[0x00:0x07] = (0x00AE, 0x499A, 0x0000, 0x2061, 0x0005, 0x0320, 0x03E0)
    words[0x07:0x0A] = p.device_id
    words[0x0A] = 0x0499 | (0 if p.chess_calibrated else 0x0800)
    words[0x0C] = CONTROL_DEFAULT
    words[0x0F] = I2C_ADDRESS_DEFAULT & 0xFF00 | p.i2c_address

    words[0x10] = round((p.alpha_ptat - 8) * 4) << 12 | _OFFSET_ROW << 8 | _OFFSET_COLUMN << 4 | _OFFSET_REMAINDER
    reference, by_row, by_column, offset_remainder = _split(p.offset, _OFFSET_ROW, _OFFSET_COLUMN, _OFFSET_REMAINDER)
    words[0x11] = _signed("offset reference", reference, 16)
    words[0x12:0x18], words[0x18:0x20] = _nibbles(by_row), _nibbles(by_column)

    words[0x20] = (_ALPHA_SCALE - 30) << 12 | _ALPHA_ROW << 8 | _ALPHA_COLUMN << 4 | _ALPHA_REMAINDER
    reference, by_row, by_column, alpha_remainder = _split(
        p.alpha * 2.0**_ALPHA_SCALE, _ALPHA_ROW, _ALPHA_COLUMN, _ALPHA_REMAINDER
    )
    words[0x21] = _unsigned("alpha reference", reference, 16)
    words[0x22:0x28], words[0x28:0x30] = _nibbles(by_row), _nibbles(by_column)

    words[0x30] = _signed("gain", p.gain, 16)
    words[0x31] = _unsigned("PTAT at 25 degC", p.v_ptat25, 16)
    words[0x32] = _signed("KvPTAT", p.kv_ptat * 4096, 6) << 10 | _signed("KtPTAT", p.kt_ptat * 8, 10)
    words[0x33] = _signed("KVdd", p.k_vdd / 32, 8) << 8 | _unsigned("Vdd25", (p.vdd25 + 8192) / 32 + 256, 8)
    kv = np.asarray(p.kv) * 2**_KV_SCALE
    words[0x34] = sum(
        _signed("Kv", kv[row, column], 4) << shift
        for row, column, shift in ((0, 0, 12), (1, 0, 8), (0, 1, 4), (1, 1, 0))
    )
    words[0x35] = (
        _signed("interleave correction 3", p.il_chess_c[2] * 8, 5) << 11
        | _signed("interleave correction 2", p.il_chess_c[1] * 2, 5) << 6
        | _signed("interleave correction 1", p.il_chess_c[0] * 16, 6)
    )
    kta = p.kta * 2**_KTA_SCALE
    kta_mean = np.array([[round(float(kta[row::2, column::2].mean())) for column in range(2)] for row in range(2)])
    words[0x36] = _signed("Kta", kta_mean[0, 0], 8) << 8 | _signed("Kta", kta_mean[1, 0], 8)
    words[0x37] = _signed("Kta", kta_mean[0, 1], 8) << 8 | _signed("Kta", kta_mean[1, 1], 8)
    words[0x38] = p.resolution_code << 12 | _KV_SCALE << 8 | (_KTA_SCALE - 8) << 4 | _KTA_REMAINDER
    words[0x39] = _signed("CP alpha ratio", (p.cp_alpha[1] / p.cp_alpha[0] - 1) * 128, 6) << 10 | _signed(
        "CP alpha", p.cp_alpha[0] * 2.0**_CP_ALPHA_SCALE, 10
    )
    words[0x3A] = _signed("CP offset difference", p.cp_offset[1] - p.cp_offset[0], 6) << 10 | _signed(
        "CP offset", p.cp_offset[0], 10
    )
    words[0x3B] = _signed("CP Kv", p.cp_kv * 2**_KV_SCALE, 8) << 8 | _signed("CP Kta", p.cp_kta * 2**_KTA_SCALE, 8)
    words[0x3C] = _signed("KsTa", p.ks_ta * 8192, 8) << 8 | _signed("TGC", p.tgc * 32, 8)
    ks_to = [_signed("KsTo", value * 2**_KS_TO_SCALE, 8) for value in p.ks_to]
    words[0x3D], words[0x3E] = ks_to[1] << 8 | ks_to[0], ks_to[3] << 8 | ks_to[2]
    words[0x3F] = (
        2 << 12
        | _unsigned("CT4 above CT3", (p.ct3 - p.ct2) / 20, 4) << 8
        | _unsigned("CT3", p.ct2 / 20, 4) << 4
        | (_KS_TO_SCALE - 8)
    )

    parity_mean = np.tile(kta_mean, (ROWS // 2, COLUMNS // 2))
    kta_remainder = np.clip(np.rint((kta - parity_mean) / 2**_KTA_REMAINDER), -4, 3).astype(np.int64)
    pixels = (offset_remainder & 0x3F) << 10 | (alpha_remainder & 0x3F) << 4 | (kta_remainder & 7) << 1
    # A word of zero means "broken": a good pixel that lands there takes one step of sensitivity more.
    pixels = np.where(pixels == 0, 1 << 4, pixels).ravel()
    pixels[list(p.outlier)] |= 1
    pixels[list(p.broken)] = 0
    words[0x40:] = pixels
    return words.astype(np.uint16)


def _split(
    target: Map, row_scale: int, column_scale: int, remainder_scale: int
) -> tuple[float, NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Reference, row and column parts (4 bit) and remainders (6 bit) whose sum comes nearest to `target`."""
    reference = round(float(target.mean()))
    by_row = np.clip(np.rint((target.mean(axis=1) - reference) / 2**row_scale), -8, 7).astype(np.int64)
    by_column = np.clip(np.rint((target.mean(axis=0) - reference) / 2**column_scale), -8, 7).astype(np.int64)
    coarse = reference + by_row[:, None] * 2**row_scale + by_column[None, :] * 2**column_scale
    remainder = np.clip(np.rint((target - coarse) / 2**remainder_scale), -32, 31).astype(np.int64)
    return reference, by_row, by_column, remainder


def _nibbles(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """Four signed 4-bit values a word, the first in the lowest bits."""
    quads = (values & 0xF).reshape(-1, 4)
    packed: NDArray[np.int64] = (quads << np.array([0, 4, 8, 12])).sum(axis=1)
    return packed


def _signed(name: str, value: float, bits: int) -> int:
    whole = round(float(value))
    if not -(1 << bits - 1) <= whole < 1 << bits - 1:
        raise UsageError(f"The EEPROM constant {name} is {whole} steps and does not fit {bits} signed bits; reduce it.")
    return whole & (1 << bits) - 1


def _unsigned(name: str, value: float, bits: int) -> int:
    whole = round(float(value))
    if not 0 <= whole < 1 << bits:
        raise UsageError(f"The EEPROM constant {name} is {whole} steps and does not fit {bits} bits; change it.")
    return whole
