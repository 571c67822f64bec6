"""A calibration laboratory in virtual time: the sensors of a wearable, the blackbody and bath they are held to, and nobody's hurry.

Cameras go through the simulator's radiometry and the product's decoder; the other sensors are the formulas of their parts, drawn at
random from a seed.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermo_core import schema
from thermo_core.sensors.ads1115_ntc.settings import Ads1115NtcSettings
from thermo_core.sensors.ads1115_ntc.thermistor import SteinhartHart, ThermistorChannel
from thermo_core.sensors.kind import SensorConstants
from thermo_core.sensors.mlx90640.constants import Constants
from thermo_core.sensors.mlx90640.decode import Decoder, merge
from thermo_core.sensors.mlx90640.identity import device_id
from thermo_core.sensors.settings import SensorSettings
from thermo_core.wearable.profile import Profile
from thermo_host.calibrate.choice import choose
from thermo_host.calibrate.kinds import PROCEDURES
from thermo_host.calibrate.procedures import Reading
from thermo_host.calibrate.reference import EXACT, ReferenceUncertainty
from thermo_host.calibrate.source import Subject, Target
from thermo_sim.chips.mlx90640 import eeprom
from thermo_sim.chips.mlx90640.dataset import PictureSource
from thermo_sim.chips.mlx90640.radiometry import ResponseError
from thermo_sim.surroundings import Conditions

KELVIN = 273.15
DIE_RISE_K = 8.0
WARM_UP_ERROR = 0.08

PATCH: dict[str, Any] = {
    "name": "patch",
    "version": "1",
    "sensors": [
        {"kind": "mlx90640", "name": "skin", "path": [0x33], "rate_hz": 16.0},
        {
            "kind": "ads1115-ntc",
            "name": "spots",
            "path": [0x48],
            "channels": [{"name": f"thermistor {n}", "self_heating_k_per_mw": 0.2} for n in range(1, 5)],
        },
    ],
}
SLEEVE: dict[str, Any] = {
    "name": "sleeve",
    "version": "1",
    "sensors": [
        {"kind": "tmp117", "name": "wrist", "path": [0x49], "rate_hz": 1.0},
        {"kind": "mlx90614", "name": "ear", "path": [0x5A], "zones": 2, "rate_hz": 4.0},
        {"kind": "mlx90632", "name": "arm", "path": [0x3A], "rate_hz": 2.0},
        {"kind": "sht4x", "name": "air", "path": [0x44]},
        {"kind": "lis3dh", "name": "motion", "path": [0x18], "rate_hz": 100.0},
        {"kind": "max3010x", "name": "pulse", "path": [0x57]},
    ],
}
"""Contact sensors, thermopiles, an accelerometer, and what is never calibrated; no camera."""


class Camera(PictureSource):
    """A simulated camera whose surroundings change."""

    def look(self, celsius: float, conditions: Conditions) -> tuple[NDArray[Any], float]:
        """A decoded picture of a blackbody and its die temperature."""
        self._conditions = conditions
        first, second = self.words(np.full((24, 32), celsius))
        picture = merge(self._decoder.decode(first), self._decoder.decode(second))
        return picture.celsius, picture.ta


@dataclass
class Part:
    """A thermometer off in sensitivity and offset: it exchanges heat or radiation with its die by (1 + gain)."""

    gain: float
    offset: float
    noise: float
    seen: str = "target"

    def shows(self, celsius: float, ta: float, rng: np.random.Generator) -> float:
        return ta + (1 + self.gain) * (celsius - ta) + self.offset + rng.normal(0, self.noise)


@dataclass
class Laboratory:
    """Source and reference in one.

    Attributes:
        plain: profile of the wearable.
        names: sensors to calibrate; as a user who names none where empty.
        seed: of all parts.
        warm_up_tau_s: 0 starts settled.
        error: of the camera's response instead of a random one.
        bath: temperature of contact sensors, degC; None follows the blackbody.
    """

    plain: Mapping[str, Any]
    names: tuple[str, ...] = ()
    seed: int = 1
    warm_up_tau_s: float = 0.0
    error: ResponseError | None = None
    bath: float | None = None
    name: str = "simulator"
    uncertainty: ReferenceUncertainty = EXACT
    ambient_celsius: float = 25.0
    target: float = 33.0
    up: NDArray[Any] = field(default_factory=lambda: np.array([0.0, 0.0, 1.0]))

    def __post_init__(self) -> None:
        self.profile = schema.from_plain(dict(self.plain), Profile, "profile")
        self.rng = np.random.default_rng([self.seed, 0x1AB])
        self.now_us = 1_000_000
        self.began_us = self.now_us
        self.words = eeprom.generate(self.seed)
        self.camera = Camera(self.seed, 16.0, self.words, self.error or ResponseError.random(self.seed))
        targets = [
            Target(number, self.profile.sensors[number], self._identity(number), self._constants(number))
            for number in choose(self.profile, self.names)
        ]
        self.subject = Subject("laboratory", "1", "test", self.profile.name, True, targets[0], tuple(targets[1:]))
        self.parts = {target.number: self._parts(target.settings) for target in targets}
        self.matrix = np.eye(3) + self.rng.normal(0, 0.02, (3, 3))
        self.zero_g = self.rng.normal(0, 0.04, 3)
        self._raw: dict[int, list[tuple[float, ...]]] = {}

    # A reference
    def set_point(self, celsius: float) -> float:
        self.target = celsius
        return celsius

    def ambient(self, celsius: float) -> None:
        self.ambient_celsius = celsius

    def lay(self, position: str, g: tuple[float, float, float]) -> None:
        self.up = np.asarray(g) / np.linalg.norm(g)

    def close(self) -> None:
        """Nothing is open."""

    # A source
    def restart(self) -> None:
        self._raw.clear()

    def pause(self) -> None:
        """Virtual time stands still by itself."""

    def next_reading(self) -> Reading:
        settings = self.subject.lead.settings
        self.now_us += round(1e6 / settings.signals[0].rate_hz)
        for target in self.subject.targets:
            if not PROCEDURES[target.settings.kind].is_camera:
                self._raw.setdefault(target.number, []).append(self.raw(target))
        if PROCEDURES[settings.kind].is_camera:
            celsius, ta = self.camera.look(self.target, self._conditions())
            return Reading(self.now_us, celsius, np.ones((24, 32), np.bool_), ta)
        values = np.array(self._lead_values(), np.float32)
        return Reading(self.now_us, values, np.isfinite(values), self._conditions().ta)

    def beside(self) -> dict[int, tuple[float, ...]]:
        return {number: tuple(np.mean(rows, axis=0).tolist()) for number, rows in self._raw.items()}

    # What the parts say
    def raw(self, target: Target, celsius: float | None = None) -> tuple[float, ...]:
        """A raw vector of a sensor in or before what is set."""
        apparatus = PROCEDURES[target.settings.kind].apparatus
        there = self.target if celsius is None else celsius
        if apparatus == "bath" and self.bath is not None and celsius is None:
            there = self.bath
        parts, ta = self.parts[target.number], self._conditions().ta
        if isinstance(target.settings, Ads1115NtcSettings):
            return tuple(float(part.counts(there)) for part in parts)
        own = ta if apparatus == "blackbody" else math.nan
        around = ta if apparatus == "blackbody" else 30.0
        return (*(part.shows(there, around, self.rng) for part in parts), own)

    def _lead_values(self) -> list[float]:
        lead = self.subject.lead
        if PROCEDURES[lead.settings.kind].apparatus == "positions":
            felt = np.linalg.solve(self.matrix, self.up) + self.zero_g + self.rng.normal(0, 0.003, 3)
            return [float(value) for value in felt]
        raw = self._raw[lead.number][-1]
        procedure = PROCEDURES[lead.settings.kind]
        count = len(procedure.numbers(lead.settings))
        shown = procedure.shown(lead.settings, [None] * count, np.array([raw]))[0]
        return [float(value) for value in shown]

    def _conditions(self) -> Conditions:
        settled = self.ambient_celsius + DIE_RISE_K
        left = 0.0
        if self.warm_up_tau_s:
            left = DIE_RISE_K * math.exp(-(self.now_us - self.began_us) / 1e6 / self.warm_up_tau_s)
        return Conditions(settled - left, 3.31, self.ambient_celsius, 0.98, -WARM_UP_ERROR * left)

    def _parts(self, settings: SensorSettings) -> list[Any]:
        if isinstance(settings, Ads1115NtcSettings):
            return [
                replace(
                    ThermistorChannel.from_settings(thermistor),
                    curve=ntc(10_000 * (1 + self.rng.normal(0, 0.006)), 3950 * (1 + self.rng.normal(0, 0.003))),
                )
                for thermistor in settings.channels
            ]
        numbers = PROCEDURES[settings.kind].numbers(settings)
        infrared = PROCEDURES[settings.kind].apparatus == "blackbody"
        return [Part(self.rng.normal(0, 0.02), self.rng.normal(0, 0.3), 0.05 if infrared else 0.004) for _ in numbers]

    def _identity(self, number: int) -> bytes:
        if self.profile.sensors[number].kind == "mlx90640":
            return device_id(self.words)
        return bytes([self.seed, number])

    def _constants(self, number: int) -> SensorConstants:
        kind = self.profile.sensors[number].kind
        return SensorConstants(3, self.words.astype("<u2").tobytes() if kind == "mlx90640" else b"")


def decoder(words: NDArray[Any]) -> Decoder:
    """A camera's own decoder."""
    return Decoder(Constants.from_eeprom(words), 0.98)


def ntc(r25: float, beta: float, c: float = 0.9e-7) -> SteinhartHart:
    """Constants that have a Beta curve's value and slope at 25 degC, and bend away from it as real NTCs do."""
    log = math.log(r25)
    b = 1 / beta - 3 * c * log**2
    return SteinhartHart(1 / (25 + KELVIN) - b * log - c * log**3, b, c)
