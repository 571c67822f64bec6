"""A wearable's simulated hardware, by profile, world and seed: its chips on their bus, and one body that all of them feel.

What a laboratory changes while it runs (blackbody, scene, ambient temperature, bath) are methods here; they may be called from any
thread.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from msgspec.structs import replace

from thermo_core.clock import Clock
from thermo_core.errors import UsageError
from thermo_core.sensors.bus_load import greatest_frequency_hz
from thermo_core.sensors.external.settings import ExternalSettings
from thermo_core.sensors.settings import SensorSettings
from thermo_core.wearable.file import read
from thermo_core.wearable.library import resolve
from thermo_core.wearable.profile import Profile
from thermo_sim.around import Around
from thermo_sim.chips.kind import Change, Site
from thermo_sim.chips.kinds import KINDS, MULTIPLEXERS
from thermo_sim.clock import VirtualClock
from thermo_sim.disturbances import Disturbance, Disturbed
from thermo_sim.faults import FaultPlan
from thermo_sim.given import Course, Giver
from thermo_sim.i2c import Chip, Gate, SimulatedBus
from thermo_sim.scenes import Scene
from thermo_sim.surroundings import Surroundings
from thermo_sim.world_file import World, load_world, with_body, world_of

DEFAULT_WEARABLE = "breast-patch"


class SimulatedHardware:
    """Everything a wearable's agent would find on its I2C bus.

    Args:
        profile: the wearable.
        world: what is around it.
        seed: of every chip, its errors and its noise, of the scene and of the body.
        clock: simulated time; a `VirtualClock` where omitted.
        bus_hz: I2C frequency instead of the world's.
        faults: specification of what goes wrong beside the world's, see `faults.parse_faults`.
        warm_up_tau_s: time constant of the warm-up instead of the world's; 0 starts settled.
        scene: instead of the world's.
        script, person: of who wears it, instead of the world's; see `world_file.Body`.
        happenings: what happens to the wearer beside that.
        part: what is given of a chip instead of being made, by a name that its row in `chips.kinds` has; it goes to the first sensor
            that takes it.

    Attributes:
        profile: as given.
        world: as given.
        seed: as given.
        clock: simulated time.
        bus: the I2C bus, duck-typed as `smbus2.SMBus`.
        chips: by the name of their sensor.
        around: what surrounds them.
        giver: of what comes to sensors that are no chips.

    Raises:
        UsageError: something in the arguments does not fit.
        EepromError: an EEPROM that was given is no healthy sensor's.
    """

    def __init__(
        self,
        profile: Profile,
        world: World,
        seed: int = 0,
        clock: Clock | None = None,
        bus_hz: int | None = None,
        faults: str = "",
        warm_up_tau_s: float | None = None,
        scene: Scene | None = None,
        script: str | None = None,
        person: int | None = None,
        happenings: str = "",
        **part: Any,
    ) -> None:
        world = with_body(world, script, person, happenings)
        self.profile, self.world, self.seed = profile, world, seed
        self._settings = {sensor.name: sensor for sensor in profile.sensors}
        mine = world.wearable in (None, profile.name)
        strange = [name for name in (*world.places, *world.views, *world.segments) if name not in self._settings]
        if strange and mine:
            raise UsageError(
                f"The world names the place {strange[0]}; the sensors of {profile.name} are {', '.join(self._settings)}."
            )
        self.giver = Giver(_courses(profile, world, seed), world.pace)
        hz = bus_hz if bus_hz is not None else world.bus_hz or greatest_frequency_hz(profile.sensors)
        plan = FaultPlan(",".join(filter(None, (world.faults, faults))), seed)
        self.bus = SimulatedBus(clock if clock is not None else VirtualClock(), hz, plan)
        self.clock = self.bus.clock
        self.around = Around(world, seed, self.clock.now_us() / 1e6, warm_up_tau_s, scene)
        self.chips: dict[str, Chip] = {}
        self._multiplexers: dict[tuple[Any, ...], Any] = {}
        met: dict[str, int] = {}
        left = {name: value for name, value in part.items() if value is not None}
        for sensor in profile.sensors:
            path = sensor.bus_path
            if path is None:
                continue
            taken = {name: left.pop(name) for name in KINDS[sensor.kind].part if name in left}
            chip = self._make(sensor, _seed(seed, met.setdefault(sensor.kind, 0)), taken)
            met[sensor.kind] += 1
            self.bus.attach(chip, self._gate(path.hops))
            self.chips[sensor.name] = chip
        blind = [name for name in world.views if name not in self.around.cameras]
        if blind and mine:
            raise UsageError(f"The world has a view of {blind[0]}, which is no camera; give it a place.")
        if left:
            raise UsageError(f"The wearable {profile.name} has no sensor that takes {', '.join(left)}; leave it out.")

    @classmethod
    def of_real(
        cls, wearable: str | Profile, seed: int, eeprom: Path | None, replay: Path | None, **options: Any
    ) -> "SimulatedHardware":
        """As `from_profile`, with a chip whose EEPROM or frames are those of a real one, in the place of the first that can be.

        Args:
            wearable: as `from_profile` has it.
            seed: as the class has it.
            eeprom: file of a real chip's EEPROM.
            replay: file of its frames, with its EEPROM unless `eeprom` is given.
            options: as `from_profile` has them.

        Raises:
            UsageError: as `from_profile`, or no sensor of the wearable can be real.
            StorageError: a file cannot be read or does not hold what it is given for.
            EepromError: the EEPROM is corrupt.
        """
        profile = wearable if isinstance(wearable, Profile) else read(resolve(wearable)).profile
        if eeprom is None and replay is None:
            return cls.from_profile(profile, seed, **options)
        for sensor in profile.sensors:
            real = KINDS[sensor.kind].real if sensor.kind in KINDS else None
            if real is not None:
                return cls.from_profile(profile, seed, **options, **real(eeprom, replay))
        raise UsageError(
            f"The wearable {profile.name} has no sensor whose real EEPROM or frames could be used; leave them out."
        )

    @classmethod
    def from_profile(
        cls, wearable: str | Profile = DEFAULT_WEARABLE, seed: int = 0, world: str | None = None, **options: Any
    ) -> "SimulatedHardware":
        """Hardware of one wearable.

        Args:
            wearable: its name, its file, or its profile.
            seed: as the class has it.
            world: name or file of what is around it; what was made for the wearable where omitted.
            options: the class's other arguments.

        Raises:
            UsageError: there is no such wearable or world, or an argument does not fit.
        """
        profile = wearable if isinstance(wearable, Profile) else read(resolve(wearable)).profile
        return cls(profile, load_world(world if world is not None else world_of(profile.name)), seed, **options)

    @property
    def name(self) -> str:
        """Of the wearable."""
        return self.profile.name

    @property
    def chip(self) -> Any:
        """Of the first sensor."""
        return next(iter(self.chips.values()))

    @property
    def scene(self) -> Scene:
        """What cameras look at now."""
        return self.around.scene

    @property
    def surroundings(self) -> Surroundings:
        """What surrounds it now."""
        return self.around.surroundings

    @property
    def changes(self) -> frozenset[str]:
        """Commands that some of its chips take."""
        return frozenset(name for sensor in self.chips for name in KINDS[self._settings[sensor].kind].changes)

    def set_blackbody(self, celsius: float, nonuniformity_k: float = 0.0) -> None:
        """Put a blackbody in front of every thermometer; contact thermometers go in it unless `set_bath` holds them."""
        with self.bus.lock:
            self.around.set_blackbody(celsius, nonuniformity_k, self._now_s)

    def set_scene(self, scene: Scene | None = None) -> None:
        """Put a scene in front of the cameras; everything as it was made where omitted."""
        with self.bus.lock:
            self.around.set_scene(scene, self._now_s)

    def disturb(self, event: Disturbance) -> None:
        """Have something happen to what cameras see, from here on; `set_scene` ends it."""
        with self.bus.lock:
            now_s = self._now_s
            told = replace(event, from_s=now_s)
            self.around.set_scene(Disturbed(self.around.scene, told), now_s)

    def set_ambient(self, celsius: float) -> None:
        """Change what surrounds the wearable; dies follow with their time constant."""
        with self.bus.lock:
            self.around.set_ambient(celsius, self._now_s)

    def set_bath(self, celsius: float | None) -> None:
        """Hold contact thermometers at a temperature of their own; None lets them follow the blackbody again."""
        with self.bus.lock:
            self.around.set_bath(celsius, self._now_s)

    @property
    def touched_celsius(self) -> dict[str, list[float]]:
        """What the channels of each contact thermometer are in or on now, degC, by sensor."""
        return self.around.contacts(self._now_s)

    def exchange_sensor(self, seed: int, sensor: str | None = None, **part: Any) -> None:
        """Put another chip in a sensor's place, as made from `seed`, before the same body.

        Args:
            seed: of it, its errors and its noise.
            sensor: its name; the first where omitted.
            part: as the class has it.

        Raises:
            UsageError: there is no such sensor on the bus.
        """
        name = self._named(sensor, self.chips)
        with self.bus.lock:
            other = self._make(self._settings[name], seed, part)
            self.bus.exchange(self.chips[name], other)
            self.chips[name] = other

    def change(self, command: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
        """Do to a chip what its kind knows by that name: to the one of `request["sensor"]`, or the first that takes it.

        Raises:
            UsageError: no chip takes it, or something in the request does not fit.
        """
        takers: dict[str, Change] = {}
        for name in self.chips:
            known = KINDS[self._settings[name].kind].changes
            if command in known:
                takers[name] = known[command]
        taker = self._named(request.get("sensor"), takers)
        with self.bus.lock:
            return {"sensor": taker, **takers[taker](self.chips[taker], request)}

    @property
    def _now_s(self) -> float:
        return self.clock.now_us() / 1e6

    def _named(self, sensor: object, among: Mapping[str, Any]) -> str:
        if not among:
            raise UsageError(f"The wearable {self.name} has no sensor for that; choose another wearable.")
        name = next(iter(among)) if sensor is None else str(sensor)
        if name not in among:
            raise UsageError(f"There is no such sensor {name!r}; choose one of {', '.join(among)}.")
        return name

    def _make(self, sensor: SensorSettings, seed: int, part: Mapping[str, Any]) -> Chip:
        return KINDS[sensor.kind].make(sensor, Site(self.around, seed, part))

    def _gate(self, hops: tuple[Any, ...]) -> Gate | None:
        """The channel that leads to a chip; multiplexers on the way are attached once."""
        behind: Gate | None = None
        way: tuple[Any, ...] = ()
        for hop in hops:
            way = (*way, (hop.kind, hop.address))
            if way not in self._multiplexers:
                self._multiplexers[way] = MULTIPLEXERS[hop.kind](hop.address)
                self.bus.attach(self._multiplexers[way], behind)
            behind = self._multiplexers[way].channel(hop.channel)
            way = (*way, hop.channel)
        return behind


def _courses(profile: Profile, world: World, seed: int) -> dict[str, Course]:
    """What the world gives, in the order of the profile's sensors."""
    outside = {one.name: one for one in profile.sensors if isinstance(one, ExternalSettings)}
    strange = [name for name in world.given if name not in outside]
    if strange and world.wearable in (None, profile.name):
        takers = f"{', '.join(outside)} come from outside" if outside else "all of its sensors measure by themselves"
        raise UsageError(f"The world gives {strange[0]}; of {profile.name} {takers}.")
    return {
        name: Course(world.given[name], settings, _seed(seed, number))
        for number, (name, settings) in enumerate(outside.items())
        if name in world.given
    }


def _seed(seed: int, place: int) -> int:
    """Of the n-th chip of its kind."""
    return seed if place == 0 else int(np.random.SeedSequence([seed, place]).generate_state(1)[0]) >> 1
