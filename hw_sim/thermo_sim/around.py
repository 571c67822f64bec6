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
from thermo_sim.scene_table import make_scene
from thermo_sim.scenes import STRAIGHT, Scene, blackbody
from thermo_sim.surface import CelsiusAt
from thermo_sim.surroundings import Conditions, Surroundings
from thermo_sim.world_file import World

MapAt = Callable[[float], NDArray[np.float64]]
"""True temperatures, (24, 32) degC, at a time in seconds."""
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
        follows: whether they are put in what stands before the others.
    """

    since_s: float
    scene: Scene
    made: bool
    surroundings: Surroundings
    target_celsius: float | None = None
    bath_celsius: float | None = None
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
        if scene is None:
            scene = make_scene(world.scene.name, seed, world.scene.options)
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
        changed = replace(last, ambient_celsius=celsius, start_celsius=last.at(now_s).ta, start_s=now_s)
        self._change(now_s, surroundings=changed)

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
        return lambda time_s: self._at(time_s).scene.celsius(time_s, view)

    def made(self, time_s: float) -> bool:
        """Whether what is before cameras is what the world was made with."""
        return self._at(time_s).made

    def conditions(self, time_s: float) -> Conditions:
        """Of the electronics."""
        return self._at(time_s).surroundings.at(time_s)

    def die(self, time_s: float) -> float:
        """Temperature of a sensor's die, degC."""
        return self.conditions(time_s).ta

    def air(self, time_s: float) -> float:
        """Temperature of the air, degC."""
        return self._at(time_s).surroundings.ambient_celsius

    def humidity(self, time_s: float) -> float:
        """Relative humidity of the air, %."""
        return self.world.air.humidity

    def light(self, times_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """As `body.photocurrent`."""
        return body.photocurrent(self.world.pulse, self._seed, times_s)

    def acceleration(self, times_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """As `body.acceleration`."""
        return body.acceleration(self.world.motion, self._seed, times_s)

    def seen(self, sensor: str, channel: int = 0) -> CelsiusAt:
        """Temperature of what an infrared thermometer looks at: a blackbody, or skin at the sensor's place."""
        return self._thermometer(sensor, channel, lambda state: state.target_celsius)

    def touched(self, sensor: str, channel: int = 0) -> CelsiusAt:
        """Temperature of what a contact thermometer is in or on: a bath, or skin at the sensor's place."""
        celsius = self._thermometer(sensor, channel, lambda state: state.bath_celsius)
        self._contacts.setdefault(sensor, {})[channel] = celsius
        return celsius

    def contacts(self, time_s: float) -> dict[str, list[float]]:
        """What the channels of each contact thermometer are in or on, degC."""
        return {
            sensor: [channels[channel](time_s) for channel in sorted(channels)]
            for sensor, channels in self._contacts.items()
        }

    def _thermometer(self, sensor: str, channel: int, instead: Callable[[_State], float | None]) -> CelsiusAt:
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
