"""A wearable's simulated hardware, by profile and seed: bus, MLX90640, ADS1115 with thermistors, scene, surroundings.

What a laboratory changes while it runs (blackbody, scene, ambient temperature, thermistor bath) are methods here; they
may be called from any thread.
"""

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib import resources
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermo_core.clock import Clock
from thermo_core.errors import UsageError
from thermo_core.sensors.mlx90640.frames import Words
from thermo_core.sensors.mlx90640.registers import EEPROM_START, EEPROM_WORDS
from thermo_sim import eeprom as eeprom_contents
from thermo_sim.ads1115 import SimulatedAds1115
from thermo_sim.clock import VirtualClock
from thermo_sim.faults import FaultPlan
from thermo_sim.i2c import SimulatedBus
from thermo_sim.mlx90640 import SimulatedMlx90640
from thermo_sim.radiometry import Conditions, Noise, ResponseError
from thermo_sim.scenes import Scene, blackbody, make_scene
from thermo_sim.thermistor import Ntc, Wiring

PROFILES = resources.files("thermo_sim") / "profiles"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Die and surroundings of the picture sensor by time: the die goes to ambient + rise exponentially.

    Attributes:
        ambient_celsius: of what surrounds the wearable, and what skin mirrors.
        die_rise_k: how far the die of a powered sensor settles above ambient; drivers assume 8 K.
        tau_s: time constant; 0 settles at once. About five time constants bring warm-up to an end.
        error_k_per_k: error all pixels share, for each kelvin the die is from where it will settle.
        supply_v: of the sensor.
        emissivity: of what it looks at.
        start_celsius: die temperature at `start_s`.
        start_s: when this course began.
    """

    ambient_celsius: float = 25.0
    die_rise_k: float = 8.0
    tau_s: float = 0.0
    error_k_per_k: float = 0.0
    supply_v: float = 3.3
    emissivity: float = 0.98
    start_celsius: float = 25.0
    start_s: float = 0.0

    def at(self, time_s: float) -> Conditions:
        """Conditions at a time in seconds."""
        settled = self.ambient_celsius + self.die_rise_k
        left_k = 0.0
        if self.tau_s > 0:
            left_k = (settled - self.start_celsius) * math.exp(-max(0.0, time_s - self.start_s) / self.tau_s)
        return Conditions(
            ta=settled - left_k,
            vdd=self.supply_v,
            reflected=self.ambient_celsius,
            emissivity=self.emissivity,
            gradient_k=-self.error_k_per_k * left_k,
        )


class SimulatedHardware:
    """Everything a wearable's agent would find on its I2C bus; make one with `from_profile`.

    Attributes:
        name: of the profile.
        seed: the seed it was made from.
        clock: simulated time.
        bus: the I2C bus, duck-typed as `smbus2.SMBus`.
        chip: the MLX90640.
        adc: the ADS1115.
    """

    def __init__(self, name: str, seed: int, bus: SimulatedBus, scene: Scene, surroundings: Surroundings) -> None:
        self.name = name
        self.seed = seed
        self.bus = bus
        self.clock = bus.clock
        self._profile_scene = scene
        self._recording: NDArray[np.uint16] | None = None
        self._scene = scene
        self._surroundings = surroundings
        self._ntcs: tuple[Ntc, ...] = ()
        self._profile_bath: tuple[float, ...] = ()
        self._bath: tuple[float, ...] = ()
        self._bath_follows = True
        self._noise: Noise | None = None
        self.chip: SimulatedMlx90640
        self.adc: SimulatedAds1115

    @classmethod
    def from_profile(
        cls,
        name: str = "breast-patch",
        seed: int = 0,
        eeprom: Words | None = None,
        clock: Clock | None = None,
        bus_hz: int | None = None,
        faults: str = "",
        replay: NDArray[np.uint16] | None = None,
        error: ResponseError | None = None,
        noise: Noise | None = None,
        warm_up_tau_s: float | None = None,
        scene: Scene | None = None,
    ) -> "SimulatedHardware":
        """Hardware of one wearable.

        Args:
            name: profile, a file in `profiles/`.
            seed: of the sensor's EEPROM, its errors, its noise, the thermistors and the scene.
            eeprom: (832,) words of a real sensor instead of made ones.
            clock: simulated time; a `VirtualClock` where omitted.
            bus_hz: I2C frequency instead of the profile's.
            faults: specification, see `faults.parse_faults`.
            replay: (n, 834) recorded frames instead of the scene.
            error: how the true response differs from the EEPROM, instead of a random one of realistic size.
            noise: instead of datasheet noise.
            warm_up_tau_s: time constant of the warm-up instead of the profile's; 0 starts settled.
            scene: instead of the profile's.

        Raises:
            UsageError: unknown profile, or something in it or in the arguments does not fit.
            EepromError: `eeprom` is no healthy sensor's.
        """
        profile = load_profile(name)
        sensor, around, array = profile["picture_sensor"], profile["surroundings"], profile["thermistors"]
        bus = SimulatedBus(
            clock if clock is not None else VirtualClock(),
            bus_hz if bus_hz is not None else profile["bus"]["frequency_hz"],
            FaultPlan(faults, seed),
        )
        surroundings = Surroundings(
            ambient_celsius=around["ambient_celsius"],
            die_rise_k=around["die_rise_k"],
            tau_s=around["warm_up_tau_s"] if warm_up_tau_s is None else warm_up_tau_s,
            error_k_per_k=around["warm_up_error_k_per_k"],
            supply_v=sensor["supply_v"],
            emissivity=sensor["emissivity"],
            start_celsius=around["ambient_celsius"],
            start_s=bus.clock.now_us() / 1e6,
        )
        if scene is None:
            scene = make_scene(profile["scene"]["name"], seed, profile["scene"].get("options"))
        hardware = cls(name, seed, bus, scene, surroundings)
        hardware._recording = replay
        hardware._noise = noise
        hardware.chip = hardware._make_chip(seed, eeprom, error, replay)
        hardware._ntcs = tuple(
            Ntc.random(seed, channel, array["r25_ohm"], array["beta_k"], array["series_ohm"])
            for channel in range(array["channels"])
        )
        hardware._profile_bath = (float(array["bath_celsius"]),) * array["channels"]
        hardware._bath = hardware._profile_bath
        hardware.adc = SimulatedAds1115(hardware._thermistor_volts, array["address"], seed=seed)
        bus.attach(hardware.chip)
        bus.attach(hardware.adc)
        return hardware

    @property
    def scene(self) -> Scene:
        """What the picture sensor looks at now."""
        return self._scene

    @property
    def surroundings(self) -> Surroundings:
        """What surrounds it now."""
        return self._surroundings

    @property
    def ntcs(self) -> tuple[Ntc, ...]:
        """The thermistors' true constants."""
        return self._ntcs

    @property
    def bath_celsius(self) -> tuple[float, ...]:
        """True temperature of each thermistor."""
        return self._bath

    def set_blackbody(self, celsius: float, nonuniformity_k: float = 0.0) -> None:
        """Put a blackbody in front of the sensor; the thermistor bath follows unless `set_thermistors` holds it."""
        self.set_scene(blackbody(celsius, nonuniformity_k, self.seed))
        with self.bus.lock:
            if self._bath_follows:
                self._bath = (float(celsius),) * len(self._ntcs)

    def set_scene(self, scene: Scene | None = None) -> None:
        """Put a scene in front of the sensor; what it was made with (and its thermistor bath) where omitted."""
        with self.bus.lock:
            self._scene = scene if scene is not None else self._profile_scene
            self.chip.set_scene(self._scene.celsius, self.clock.now_us())
            if scene is None:
                if self._recording is not None:
                    self.chip.replay(self._recording)
                self._bath, self._bath_follows = self._profile_bath, True

    def set_ambient(self, celsius: float) -> None:
        """Change what surrounds the wearable; the die follows with its time constant."""
        with self.bus.lock:
            now_us = self.clock.now_us()
            self._surroundings = replace(
                self._surroundings,
                ambient_celsius=celsius,
                start_celsius=self._surroundings.at(now_us / 1e6).ta,
                start_s=now_us / 1e6,
            )
            self.chip.set_conditions(self._surroundings.at, now_us)

    def set_thermistors(self, celsius: float | None) -> None:
        """Hold the thermistor bath at a temperature of its own; None lets it follow the blackbody again."""
        with self.bus.lock:
            self._bath_follows = celsius is None
            if celsius is not None:
                self._bath = (float(celsius),) * len(self._ntcs)

    def exchange_sensor(self, seed: int, error: ResponseError | None = None) -> None:
        """Put another picture sensor in, as made from `seed`, at the same address and before the same scene.

        Args:
            seed: of its EEPROM, its errors and its noise.
            error: how its true response differs from its EEPROM, instead of a random one of realistic size.
        """
        with self.bus.lock:
            other = self._make_chip(seed, error=error)
            self.bus.exchange(self.chip, other)
            self.chip = other

    def rot(self, address: int, bit: int) -> None:
        """Flip a bit of the picture sensor's EEPROM for good; its physics stay what they are.

        Raises:
            UsageError: no such address or bit.
        """
        if not EEPROM_START <= address < EEPROM_START + EEPROM_WORDS or not 0 <= bit < 16:
            last = EEPROM_START + EEPROM_WORDS - 1
            raise UsageError(
                f"There is no bit {bit} of EEPROM word 0x{address:04X}; give an address from 0x{EEPROM_START:04X} to "
                f"0x{last:04X} and a bit from 0 to 15."
            )
        with self.bus.lock:
            self.chip.cells.words[address - EEPROM_START] ^= 1 << bit

    def _make_chip(
        self,
        seed: int,
        eeprom: Words | None = None,
        error: ResponseError | None = None,
        replay: NDArray[np.uint16] | None = None,
    ) -> SimulatedMlx90640:
        return SimulatedMlx90640(
            eeprom if eeprom is not None else eeprom_contents.generate(seed),
            self._scene.celsius,
            self._surroundings.at,
            error if error is not None else ResponseError.random(seed),
            self._noise,
            seed,
            replay,
        )

    def set_wiring(self, channel: int, wiring: Wiring) -> None:
        """Open or short a thermistor's leads, or repair them.

        Raises:
            UsageError: no such channel.
        """
        if not 0 <= channel < len(self._ntcs):
            raise UsageError(f"There is no thermistor {channel}; number them 0 to {len(self._ntcs) - 1}.")
        with self.bus.lock:
            ntcs = list(self._ntcs)
            ntcs[channel] = replace(ntcs[channel], wiring=wiring)
            self._ntcs = tuple(ntcs)

    def _thermistor_volts(self, channel: int, time_s: float) -> float:
        if channel >= len(self._ntcs):
            return 0.0
        return self._ntcs[channel].volts(self._bath[channel])


def profile_names() -> list[str]:
    """Names that `load_profile` takes."""
    return sorted(entry.name.removesuffix(".toml") for entry in PROFILES.iterdir() if entry.name.endswith(".toml"))


def load_profile(name: str) -> Mapping[str, Any]:
    """The simulator's side of a wearable's profile.

    Raises:
        UsageError: there is none of that name.
    """
    if name not in profile_names():
        raise UsageError(f"The simulator has no profile '{name}'; use one of {', '.join(profile_names())}.")
    return tomllib.loads((PROFILES / f"{name}.toml").read_text())
