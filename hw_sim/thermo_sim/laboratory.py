"""What a laboratory does to a simulated wearable, as the commands its control socket takes."""

from collections.abc import Callable, Mapping
from typing import Any

from thermo_core.errors import UsageError
from thermo_sim.control import Command, Request, number
from thermo_sim.disturbances import KINDS, Disturbance
from thermo_sim.faults import parse_faults
from thermo_sim.hardware import SimulatedHardware
from thermo_sim.people.happenings import parse_happenings
from thermo_sim.people.said import said_of

LONGEST_UNPLUG_S = 3600.0
LONGEST_DISTURBANCE_S = 86_400.0
LARGEST_SEED = 2**31 - 1


def laboratory_commands(
    hardware: SimulatedHardware, unplug: Callable[[float], None], status: Callable[[], Mapping[str, Any]]
) -> dict[str, Command]:
    """Commands by name, for a `ControlServer`.

    Args:
        hardware: the simulated hardware.
        unplug: pulls the plug of the serial line for so many seconds.
        status: what `status` answers beside the state of the hardware.
    """

    def blackbody(request: Request) -> dict[str, Any]:
        celsius = number(request, "celsius", -40.0, 300.0)
        spread = number(request, "nonuniformity_k", 0.0, 10.0) if "nonuniformity_k" in request else 0.0
        hardware.set_blackbody(celsius, spread)
        return {"celsius": celsius}

    def scene(request: Request) -> dict[str, Any]:
        hardware.set_scene()
        return {"scene": hardware.name}

    def disturb(request: Request) -> dict[str, Any]:
        kind = request.get("kind")
        if not isinstance(kind, str) or kind not in KINDS:
            raise UsageError(f'"kind" must be one of {", ".join(KINDS)}.')
        seconds = number(request, "seconds", 0.1, LONGEST_DISTURBANCE_S) if "seconds" in request else None
        strength = number(request, "strength", 0.01, 10.0) if "strength" in request else 1.0
        seed = int(number(request, "seed", 0, LARGEST_SEED)) if "seed" in request else 0
        hardware.disturb(Disturbance(kind, lasts_s=seconds, strength=strength, seed=seed))
        return {"kind": kind, "about": KINDS[kind].about}

    def ambient(request: Request) -> dict[str, Any]:
        celsius = number(request, "celsius", -40.0, 85.0)
        hardware.set_ambient(celsius)
        return {"celsius": celsius}

    def bath(request: Request) -> dict[str, Any]:
        if request.get("celsius") is None:
            hardware.set_bath(None)
            return {"celsius": None}
        celsius = number(request, "celsius", -40.0, 125.0)
        hardware.set_bath(celsius)
        return {"celsius": celsius}

    def fault(request: Request) -> dict[str, Any]:
        specification = request.get("spec")
        if not isinstance(specification, str):
            raise UsageError('"spec" must be a fault specification such as "nack@+10"; an empty one clears all.')
        parse_faults(specification)
        with hardware.bus.lock:
            if specification:
                hardware.bus.faults.add(specification)
            else:
                hardware.bus.faults.clear()
        return {"spec": specification}

    def exchange(request: Request) -> dict[str, Any]:
        seed = int(number(request, "seed", 0, LARGEST_SEED))
        sensor = request.get("sensor")
        if sensor is not None and not isinstance(sensor, str):
            raise UsageError('"sensor" must be the name of a sensor; correct it, or leave it out for the first.')
        hardware.exchange_sensor(seed, sensor)
        return {"seed": seed}

    def change(command: str) -> Command:
        return lambda request: dict(hardware.change(command, request))

    def happen(request: Request) -> dict[str, Any]:
        specification = request.get("spec")
        if not isinstance(specification, str) or not specification:
            raise UsageError(
                '"spec" must be a list of happenings such as "warm-cup@+5:at=LHand"; add it to the request.'
            )
        with hardware.bus.lock:
            around = hardware.around
            time_s = around.course_s(hardware.clock.now_us() / 1e6)
            around.happen(parse_happenings(specification, time_s))
        return {"spec": specification, "course_s": time_s}

    def truth(request: Request) -> dict[str, Any]:
        time_s = hardware.clock.now_us() / 1e6
        with hardware.bus.lock:
            return said_of(hardware.around.somebody(), hardware.around.course_s(time_s), hardware.around.feels(time_s))

    def pull(request: Request) -> dict[str, Any]:
        seconds = number(request, "seconds", 0.0, LONGEST_UNPLUG_S)
        unplug(seconds)
        return {"seconds": seconds}

    def describe(request: Request) -> dict[str, Any]:
        time_s = hardware.clock.now_us() / 1e6
        conditions = hardware.surroundings.at(time_s)
        return {
            "wearable": hardware.name,
            "world": hardware.world.about,
            "seed": hardware.seed,
            "time_s": time_s,
            "ta_celsius": conditions.ta,
            "ambient_celsius": hardware.surroundings.ambient_celsius,
            "scene_mean_celsius": float(hardware.scene.celsius(time_s).mean()),
            "touched_celsius": hardware.touched_celsius,
            "given": hardware.giver.given,
            "transactions": hardware.bus.transactions,
            **status(),
        }

    return {
        "blackbody": blackbody,
        "scene": scene,
        "disturb": disturb,
        "ambient": ambient,
        "bath": bath,
        "fault": fault,
        "exchange": exchange,
        **{command: change(command) for command in hardware.changes},
        "happen": happen,
        "truth": truth,
        "unplug": pull,
        "status": describe,
    }
