"""What is around a wearable, as a file says it: body, air, electronics, motion, what comes from outside, faults from the start."""

import tomllib
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated, Any

from msgspec import Meta, field
from msgspec.structs import replace

from thermo_core.errors import SchemaError, StorageError, UsageError
from thermo_core.schema import Name, Record, Text, from_plain
from thermo_core.wearable.person import problem
from thermo_sim.given import Given, table_rows
from thermo_sim.people.happenings import parse_happenings
from thermo_sim.people.places import place
from thermo_sim.people.scripts import SCRIPTS
from thermo_sim.scenes import View

WORLDS = resources.files("thermo_sim") / "worlds"
ANYWHERE = "rest"
"""World of a wearable that none is made for."""
MAX_FILE = 1 << 16
MAX_TABLE = 1 << 24

Celsius = Annotated[float, Meta(ge=-40, le=125)]


class SceneFile(Record, frozen=True):
    """What a camera looks at.

    Attributes:
        name: a key of `scene_table.SCENES`.
        options: of it.
    """

    name: Text = "skin"
    options: dict[str, Any] = field(default_factory=dict)


class Air(Record, frozen=True):
    """What surrounds the wearable, and what skin mirrors.

    Attributes:
        celsius: its temperature.
        humidity: relative, %.
    """

    celsius: Annotated[float, Meta(ge=-40, le=85)] = 25.0
    humidity: Annotated[float, Meta(ge=0, le=100)] = 45.0


class Electronics(Record, frozen=True):
    """What a wearable's own electronics do to its sensors; see `surroundings.Surroundings`."""

    supply_v: Annotated[float, Meta(ge=2.6, le=3.6)] = 3.3
    die_rise_k: Annotated[float, Meta(ge=0, le=40)] = 8.0
    warm_up_tau_s: Annotated[float, Meta(ge=0, le=3600)] = 0.0
    warm_up_error_k_per_k: Annotated[float, Meta(ge=-1, le=1)] = 0.0


class Pulse(Record, frozen=True):
    """Blood under a light sensor.

    Attributes:
        beats_per_minute: of the heart.
        breaths_per_minute: which make it beat faster and slower, and move the level of the light.
        variation: share of a beat's length by which breathing changes it.
        level_na: photocurrent for each mA through the red, infrared and green LED, nA.
        depth: share of it that a beat takes away, for each of them.
    """

    beats_per_minute: Annotated[float, Meta(ge=20, le=240)] = 66.0
    breaths_per_minute: Annotated[float, Meta(ge=0, le=60)] = 14.0
    variation: Annotated[float, Meta(ge=0, le=0.3)] = 0.04
    level_na: tuple[float, float, float] = (150.0, 150.0, 150.0)
    depth: tuple[float, float, float] = (0.005, 0.01, 0.03)


class Motion(Record, frozen=True):
    """How the wearable moves.

    Attributes:
        up_g: acceleration at rest along x, y and z, g.
        steps_hz: steps a second; 0 sits.
        steps_g: height of the acceleration of a step, g.
        tremor_g: RMS of small movements, g.
    """

    up_g: tuple[float, float, float] = (0.0, 0.0, 1.0)
    steps_hz: Annotated[float, Meta(ge=0, le=10)] = 0.0
    steps_g: Annotated[float, Meta(ge=0, le=8)] = 0.3
    tremor_g: Annotated[float, Meta(ge=0, le=1)] = 0.004


class Body(Record, frozen=True):
    """Somebody who wears the wearable, whose skin, heart, sweat and movement all of its sensors feel.

    Attributes:
        script: what the person does, a key of `people.scripts.SCRIPTS`.
        person: number of the person; that of the seed where left out.
        hours: for how long; as the script has it where left out.
        from_s: seconds of the script that are over when the simulation begins.
        happenings: what else happens, each as `people.happenings.parse_happenings` reads it.
        told: whether a wearable that asks for age, weight, height or sex and knows nothing of its wearer is told.
        slow_left, slow_right: by what the time constants of a hand are longer than in health.
    """

    script: Text = "rest"
    person: Annotated[int, Meta(ge=0, lt=1 << 53)] | None = None
    hours: Annotated[float, Meta(gt=0, le=1440)] | None = None
    from_s: Annotated[float, Meta(ge=0, le=1e7)] = 0.0
    happenings: tuple[Text, ...] = ()
    told: bool = True
    slow_left: Annotated[float, Meta(ge=0.2, le=5)] = 1.0
    slow_right: Annotated[float, Meta(ge=0.2, le=5)] = 1.0


class World(Record, frozen=True):
    """What is around a wearable.

    Attributes:
        about: it, in words.
        wearable: whose world it is; any's where left out.
        bus_hz: frequency of the I2C bus; the greatest that every chip bears where left out.
        faults: what goes wrong from the start, see `faults.parse_faults`.
        emissivity: of skin.
        skin_celsius: of skin at places not named.
        places: temperature of skin where a sensor sits, by the sensor's name; one for each channel where it has several.
        scene: what cameras look at.
        views: where on it each looks, by the sensor's name; straight at it where left out.
        air, electronics, pulse, motion: as their types say.
        body: somebody whom all sensors feel, instead of skin, air, pulse and motion as said here; nobody where left out.
        segments: where on that body a sensor sits, by the sensor's name: a key of `people.places.SITES`, or one for each channel.
        given: what comes to sensors of kind "external", by their names, while somebody listens.
        pace: how many times faster than by its own time that comes.
        wearer: what a wearable that knows nothing of its wearer is told, by the names of `thermo_core.wearable.person`.
    """

    about: Text
    wearable: Name | None = None
    bus_hz: Annotated[int, Meta(ge=10_000, le=1_000_000)] | None = None
    faults: Annotated[str, Meta(max_length=1000)] = ""
    emissivity: Annotated[float, Meta(ge=0.05, le=1.0)] = 0.98
    skin_celsius: Celsius = 33.5
    places: dict[str, Celsius | tuple[Celsius, ...]] = field(default_factory=dict)
    scene: SceneFile = SceneFile()
    views: dict[str, View] = field(default_factory=dict)
    air: Air = Air()
    electronics: Electronics = Electronics()
    pulse: Pulse = Pulse()
    motion: Motion = Motion()
    body: Body | None = None
    # Not Text: msgspec 0.22 frees a constrained str in such a union twice when the interpreter ends.
    segments: dict[str, str | tuple[str, ...]] = field(default_factory=dict)
    given: dict[str, Given] = field(default_factory=dict)
    pace: Annotated[float, Meta(ge=0.01, le=1000)] = 1.0
    wearer: dict[str, float] = field(default_factory=dict)


def world_names() -> list[str]:
    """Names that `load_world` takes."""
    return sorted(entry.name.removesuffix(".toml") for entry in WORLDS.iterdir() if entry.name.endswith(".toml"))


def load_world(wanted: str) -> World:
    """The world of a name, or of a file.

    Raises:
        UsageError: there is none of that name, or something in the file is wrong.
        StorageError: the file cannot be read.
    """
    if wanted in world_names():
        return _parse(wanted, (WORLDS / f"{wanted}.toml").read_bytes(), WORLDS)
    if not wanted.endswith(".toml"):
        raise UsageError(f"There is no world {wanted!r}; use one of {', '.join(world_names())}, or give a .toml file.")
    path = Path(wanted)
    return _parse(wanted, _read(path, MAX_FILE, "a world is a few hundred, so check the name"), path.parent)


def world_of(wearable: str) -> str:
    """Name of the world that was made for a wearable; of the one for any where none was."""
    return next((name for name in world_names() if load_world(name).wearable == wearable), ANYWHERE)


def _read(path: Traversable, most: int, advice: str) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(most + 1)
    except OSError as error:
        raise StorageError(f"{path} cannot be read ({error.strerror}); check the name.") from error
    if len(data) > most:
        raise StorageError(f"{path} has more than {most} bytes; {advice}.")
    return data


def _parse(name: str, data: bytes, folder: Traversable) -> World:
    try:
        content = tomllib.loads(data.decode())
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise UsageError(f"The world {name} is no TOML file ({error}); correct it.") from error
    try:
        world = from_plain(content, World, "")
    except SchemaError as error:
        raise UsageError(f"The world {name}: {error}") from error
    for told, value in world.wearer.items():
        if wrong := problem(told, value):
            raise UsageError(f"The world {name}: wearer: {wrong}")
    try:
        check_body(world)
    except UsageError as error:
        raise UsageError(f"The world {name}: {error}") from error
    return replace(world, given={sensor: _with_rows(given, folder) for sensor, given in world.given.items()})


def check_body(world: World) -> None:
    """Raise UsageError where the world's body or where sensors sit on it makes no sense."""
    if world.body is not None:
        if world.body.script not in SCRIPTS:
            raise UsageError(f"There is no script {world.body.script!r}; use one of {', '.join(SCRIPTS)}.")
        parse_happenings(",".join(world.body.happenings))
    for where in world.segments.values():
        for name in (where,) if isinstance(where, str) else where:
            place(name)


def with_body(world: World, script: str | None, person: int | None, happenings: str) -> World:
    """The world with somebody else, or something else that happens; as it is where nothing is asked for.

    Raises:
        UsageError: there is no such script or happening, or there is nobody it could happen to.
    """
    if script is None and person is None and not happenings:
        return world
    if script is None and world.body is None:
        raise UsageError("The world has nobody in it; add --script, for example --script rest.")
    body = world.body or Body()
    changed = replace(
        body,
        script=body.script if script is None else script,
        person=body.person if person is None else person,
        happenings=(*(body.happenings if script in (None, body.script) else ()), *filter(None, (happenings,))),
    )
    world = replace(world, body=changed)
    check_body(world)
    return world


def _with_rows(given: Given, folder: Traversable) -> Given:
    if given.table is None:
        return given
    path = folder / given.table
    data = _read(path, MAX_TABLE, "give a part of it")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is no table of text ({error}); save it as CSV in UTF-8.") from error
    return replace(given, table=None, rows=table_rows(text, str(path)))
