"""What surrounds one simulated wearable as it changes: one body, one room, and what a laboratory puts in their place.

Everything is a function of time that may be asked for the past: a chip computes what it measured when somebody looks, which may be
after a change.
"""

import math
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermo_core.errors import UsageError
from thermo_sim import body
from thermo_sim.people import Course, Person, course, waves
from thermo_sim.people.happenings import Happening
from thermo_sim.people.pictures import PORTRAITS, make_portrait
from thermo_sim.people.places import Place, place
from thermo_sim.scene_table import make_scene
from thermo_sim.scenes import STRAIGHT, Scene, blackbody
from thermo_sim.surface import CelsiusAt, WavesAt
from thermo_sim.surroundings import Conditions, Surroundings
from thermo_sim.world_file import Body, World

MapAt = Callable[[float], NDArray[np.float64]]
"""True temperatures, (24, 32) degC, at a time in seconds."""
WORN = "LWrist"
"""Where a sensor sits on a body where the world does not say."""
_KEPT = 4096
"""Changes that are remembered: no chip goes so long without being looked at."""


@dataclass(frozen=True, slots=True)
class _State:
    """What holds from a time on.

    Attributes:
        since_s: that time.
        scene: what cameras look at.
        made: whether that is what the world was made with.
        surroundings: of the electronics.
        target_celsius: of what stands before every thermometer instead of skin; None for skin.
        bath_celsius: of what contact thermometers are in instead of on skin; None for skin.
        air_celsius: of the air instead of that of the body's place; None for that.
        follows: whether they are put in what stands before the others.
    """

    since_s: float
    scene: Scene
    made: bool
    surroundings: Surroundings
    target_celsius: float | None = None
    bath_celsius: float | None = None
    air_celsius: float | None = None
    follows: bool = True


class Around:
    """What surrounds a wearable.

    Args:
        world: as it was described.
        seed: of the scene and the body.
        start_s: when it begins.
        warm_up_tau_s: time constant of the warm-up instead of the world's; 0 starts settled.
        scene: instead of the world's.

    Attributes:
        cameras: sensors that look at the scene.
        course: of the person who wears it, from `start_s` on; None where the world has nobody.

    Raises:
        UsageError: there is no such scene, or it has no such options.
    """

    def __init__(
        self, world: World, seed: int, start_s: float, warm_up_tau_s: float | None = None, scene: Scene | None = None
    ) -> None:
        self.world = world
        self._seed = seed
        self.cameras: set[str] = set()
        self._contacts: dict[str, dict[int, CelsiusAt]] = {}
        self._felt: dict[str, dict[int, CelsiusAt]] = {}
        self.course = None if world.body is None else _course(world.body, seed)
        self._start_s = start_s - (world.body.from_s if world.body is not None else 0.0)
        if scene is None:
            scene = self._scene(world)
        electronics = world.electronics
        surroundings = Surroundings(
            ambient_celsius=world.air.celsius,
            die_rise_k=electronics.die_rise_k,
            tau_s=electronics.warm_up_tau_s if warm_up_tau_s is None else warm_up_tau_s,
            error_k_per_k=electronics.warm_up_error_k_per_k,
            supply_v=electronics.supply_v,
            emissivity=world.emissivity,
            start_celsius=world.air.celsius,
            start_s=start_s,
        )
        self._made = _State(-math.inf, scene, True, surroundings)
        self._states = [self._made]

    def _scene(self, world: World) -> Scene:
        name = world.scene.name
        if name not in PORTRAITS:
            return make_scene(name, self._seed, world.scene.options)
        self.somebody()
        return make_portrait(name, self._seen, self._seed, world.scene.options)

    def _seen(self, time_s: float) -> tuple[Course, float, frozenset[str]]:
        return self.somebody(), self.course_s(time_s), frozenset(self.cameras)

    @property
    def scene(self) -> Scene:
        """What cameras look at."""
        return self._states[-1].scene

    @property
    def surroundings(self) -> Surroundings:
        """What surrounds the electronics."""
        return self._states[-1].surroundings

    def set_blackbody(self, celsius: float, nonuniformity_k: float, now_s: float) -> None:
        """Put a blackbody before every thermometer; contact thermometers go in it unless `set_bath` holds them elsewhere."""
        last = self._states[-1]
        scene = blackbody(celsius, nonuniformity_k, self._seed)
        bath = celsius if last.follows else last.bath_celsius
        self._change(now_s, scene=scene, made=False, target_celsius=float(celsius), bath_celsius=bath)

    def set_scene(self, scene: Scene | None, now_s: float) -> None:
        """Put a scene before the cameras; everything as it was made where None."""
        if scene is not None:
            self._change(now_s, scene=scene, made=False)
        else:
            self._change(now_s, scene=self._made.scene, made=True, target_celsius=None, bath_celsius=None, follows=True)

    def set_ambient(self, celsius: float, now_s: float) -> None:
        """Change what surrounds the wearable; the die follows with its time constant."""
        last = self.surroundings
        changed = replace(last, ambient_celsius=celsius, start_celsius=self.die(now_s), start_s=now_s)
        self._change(now_s, surroundings=changed, air_celsius=celsius)

    def set_bath(self, celsius: float | None, now_s: float) -> None:
        """Hold contact thermometers at a temperature of their own; None lets them follow the blackbody again."""
        if celsius is None:
            self._change(now_s, follows=True)
        else:
            self._change(now_s, follows=False, bath_celsius=float(celsius))

    def looked_at(self, sensor: str) -> MapAt:
        """What a camera looks at, by time, (24, 32) degC."""
        view = self.world.views.get(sensor, STRAIGHT)
        self.cameras.add(sensor)
        spot = self._sits(sensor, 0)
        if spot is None or self.world.scene.name in PORTRAITS:
            return lambda time_s: self._at(time_s).scene.celsius(time_s, view)

        def follows(time_s: float) -> NDArray[np.float64]:
            state = self._at(time_s)
            picture = state.scene.celsius(time_s, view)
            if not state.made:
                return picture
            return picture + float(self.somebody().skin_at(spot, self._since(time_s))[0]) - self.world.skin_celsius

        return follows

    def made(self, time_s: float) -> bool:
        """Whether what is before cameras is what the world was made with."""
        return self._at(time_s).made

    def conditions(self, time_s: float) -> Conditions:
        """Of the electronics."""
        state = self._at(time_s)
        if self.course is None or state.air_celsius is not None:
            return state.surroundings.at(time_s)
        return replace(state.surroundings, ambient_celsius=self.air(time_s)).at(time_s)

    def die(self, time_s: float) -> float:
        """Temperature of a sensor's die, degC."""
        return self.conditions(time_s).ta

    def dies(self, times_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """Temperatures of a settled sensor's die on somebody, degC; (n,) at (n,) times."""
        return self.somebody().air(times_s - self._start_s) + self.world.electronics.die_rise_k

    def air(self, time_s: float) -> float:
        """Temperature of the air, degC."""
        state = self._at(time_s)
        if self.course is None or state.air_celsius is not None:
            return state.surroundings.ambient_celsius
        return float(self.course.air(self._since(time_s))[0])

    def humidity(self, time_s: float) -> float:
        """Relative humidity of the air, %."""
        return self.world.air.humidity if self.course is None else float(self.course.humidity(self._since(time_s))[0])

    def light(self, sensor: str) -> WavesAt:
        """Photocurrent of skin under a light sensor, as `body.photocurrent` or `people.waves.light`."""
        if (worn_by := self.course) is None:
            return lambda times_s: body.photocurrent(self.world.pulse, self._seed, times_s)
        labels = self._labels(sensor, 0)
        return lambda times_s: waves.light(self.course or worn_by, times_s - self._start_s, labels)

    def acceleration(self, times_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """As `body.acceleration` or `people.waves.acceleration`."""
        if self.course is None:
            return body.acceleration(self.world.motion, self._seed, times_s)
        return waves.acceleration(self.course, times_s - self._start_s)

    def beside(self, sensor: str) -> CelsiusAt:
        """Temperature of the air beside a sensor, degC: under what is worn where it sits on a body, else that of the room."""
        if self._sits(sensor, 0) is None:
            return self.air
        return lambda time_s: float(self.airs(sensor, np.array([time_s]))[0][0])

    def damp(self, sensor: str) -> CelsiusAt:
        """Relative humidity of that air, %."""
        if self._sits(sensor, 0) is None:
            return self.humidity
        return lambda time_s: float(self.airs(sensor, np.array([time_s]))[1][0])

    def happen(self, more: tuple[Happening, ...]) -> None:
        """Let something happen to the body, at times of its course.

        Raises:
            UsageError: the world has nobody.
        """
        self.course = self.somebody().with_happenings(more)

    def somebody(self) -> Course:
        """The course of who wears it.

        Raises:
            UsageError: the world has nobody.
        """
        if self.course is None:
            raise UsageError("The world has nobody in it; start with --script, for example --script rest.")
        return self.course

    def course_s(self, time_s: float) -> float:
        """Time of the course at a time."""
        return time_s - self._start_s

    def seen(self, sensor: str, channel: int = 0) -> CelsiusAt:
        """Temperature of what an infrared thermometer looks at: a blackbody, or skin at the sensor's place."""
        celsius = self._thermometer(sensor, channel, lambda state: state.target_celsius)
        self._felt.setdefault(sensor, {})[channel] = celsius
        return celsius

    def touched(self, sensor: str, channel: int = 0) -> CelsiusAt:
        """Temperature of what a contact thermometer is in or on: a bath, or skin at the sensor's place."""
        celsius = self._thermometer(sensor, channel, lambda state: state.bath_celsius)
        self._contacts.setdefault(sensor, {})[channel] = self._felt.setdefault(sensor, {})[channel] = celsius
        return celsius

    def contacts(self, time_s: float) -> dict[str, list[float]]:
        """What the channels of each contact thermometer are in or on, degC."""
        return {
            sensor: [channels[channel](time_s) for channel in sorted(channels)]
            for sensor, channels in self._contacts.items()
        }

    def feels(self, time_s: float) -> dict[str, list[float]]:
        """What the channels of every thermometer feel, degC, by sensor."""
        return {
            sensor: [round(channels[channel](time_s), 4) for channel in sorted(channels)]
            for sensor, channels in self._felt.items()
        }

    def _thermometer(self, sensor: str, channel: int, instead: Callable[[_State], float | None]) -> CelsiusAt:
        if self.course is not None:
            return self._on_body(sensor, channel, instead)
        given = self.world.places.get(sensor, self.world.skin_celsius)
        if isinstance(given, tuple) and channel >= len(given):
            raise UsageError(
                f"The world has {len(given)} temperatures at the place {sensor}, which has more channels; give one for each."
            )
        skin = given[channel] if isinstance(given, tuple) else given

        def celsius(time_s: float) -> float:
            other = instead(self._at(time_s))
            return skin if other is None else other

        return celsius

    def felt(self, sensor: str, channel: int, times_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """What a thermometer on the body feels, degC; (n,) at (n,) times.

        Raises:
            UsageError: the world has nobody.
        """
        spot = self._sits(sensor, channel) or place(WORN)
        return self.somebody().felt(spot, times_s - self._start_s, self._labels(sensor, channel))

    def airs(self, sensor: str, times_s: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Air beside a sensor as `beside` and `damp` have it, degC and %; (n,) each at (n,) times.

        Raises:
            UsageError: the world has nobody.
        """
        went, times, where = self.somebody(), times_s - self._start_s, self._sits(sensor, 0)
        if where is None:
            return went.air(times), went.humidity(times)
        return went.beside(where, times, self._labels(sensor, 0))

    def _on_body(self, sensor: str, channel: int, instead: Callable[[_State], float | None]) -> CelsiusAt:
        self._sits(sensor, channel)

        def celsius(time_s: float) -> float:
            other = instead(self._at(time_s))
            return float(self.felt(sensor, channel, np.array([time_s]))[0]) if other is None else other

        return celsius

    def _sits(self, sensor: str, channel: int) -> Place | None:
        """Where on a body the world puts a sensor."""
        where = self.world.segments.get(sensor) if self.course is not None else None
        if where is None or isinstance(where, str):
            return None if where is None else place(where)
        if channel >= len(where):
            raise UsageError(
                f"The world has {len(where)} segments for {sensor}, which has more channels; give one for each."
            )
        return place(where[channel])

    def _labels(self, sensor: str, channel: int) -> frozenset[str]:
        """Names by which a happening may mean a sensor's channel."""
        spot = self._sits(sensor, channel)
        return frozenset({sensor, f"{sensor}/{channel}", *((spot.name,) if spot is not None else ())})

    def _since(self, time_s: float) -> NDArray[np.float64]:
        return np.array([time_s - self._start_s])

    def _at(self, time_s: float) -> _State:
        last = self._states[-1]
        if time_s >= last.since_s:
            return last
        place = bisect_right(self._states, time_s, key=lambda state: state.since_s) - 1
        return self._states[max(0, place)]

    def _change(self, now_s: float, **changes: Any) -> None:
        # What is complete at this very microsecond was measured before.
        self._states.append(replace(self._states[-1], since_s=now_s + 1e-7, **changes))
        del self._states[:-_KEPT]


def _course(wearer: Body, seed: int) -> Course:
    person = Person.drawn(seed if wearer.person is None else wearer.person)
    person = replace(person, slow_left=wearer.slow_left, slow_right=wearer.slow_right)
    return course(wearer.script, seed, person, wearer.hours, ",".join(wearer.happenings))
