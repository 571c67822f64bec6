"""Options of `thermo-sim`, and those that several commands take, in one place each."""

import inspect
from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Annotated, Any, Literal, get_type_hints

import typer

from thermo_core.errors import UsageError
from thermo_sim.hardware import DEFAULT_WEARABLE
from thermo_sim.launch import KINDS
from thermo_sim.people.scripts import SCRIPTS
from thermo_sim.pump import LineNoise


def _whole(name: str) -> Callable[[str], int]:
    def read(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            raise UsageError(f"The {name} {text!r} is no whole number; give one from 0.") from None
        if number < 0:
            raise UsageError(f"The {name} {number} is negative; give a whole number from 0.")
        return number

    return read


def _speed(text: str) -> str:
    if text != "max":
        try:
            float(text)
        except ValueError:
            raise UsageError(f"The speed {text!r} is no number; give one such as 1 or 10, or max.") from None
    return text


Link = Annotated[Path, typer.Option("--link", metavar="PATH", help="Name of the port, such as /tmp/thermo0.")]
WearableName = Annotated[
    str, typer.Option("--wearable", metavar="NAME|FILE", help="Which wearable, see `thermo-sim wearables`.")
]
WorldName = Annotated[
    str | None,
    typer.Option(
        "--world",
        metavar="NAME|FILE",
        help="What is around it, see `thermo-sim worlds`.",
        show_default="the wearable's own",
    ),
]
Seed = Annotated[
    int, typer.Option("--seed", parser=_whole("seed"), metavar="N", help="Of sensors, noise, scene and body.")
]
Eeprom = Annotated[
    Path | None,
    typer.Option(
        "--eeprom",
        metavar="FILE",
        help="EEPROM of a real sensor: .npz, .npy, text, hex, bytes (of a driver or the Linux kernel), or a recording.",
    ),
]
Replay = Annotated[
    Path | None,
    typer.Option(
        "--replay",
        metavar="FILE",
        help="Frames of a real sensor instead of the scene: a recording (.mcap), or a dump with its EEPROM or --eeprom.",
    ),
]
Faults = Annotated[str, typer.Option("--faults", metavar="SPEC", help="What goes wrong on the bus, see below.")]
Script = Annotated[
    str | None,
    typer.Option(
        "--script",
        metavar="NAME",
        help=f"What the wearer does: {', '.join(SCRIPTS)}.",
        show_default="the world's",
    ),
]
WearerNumber = Annotated[
    int | None,
    typer.Option("--person", parser=_whole("person"), metavar="N", help="Who wears it.", show_default="by the seed"),
]
Happenings = Annotated[
    str, typer.Option("--happenings", metavar="SPEC", help="What befalls the wearer, see `thermo-sim happenings`.")
]
State = Annotated[
    Path | None,
    typer.Option(
        "--state",
        metavar="DIR",
        help="Keeps bundles, corrections and the wearer.",
        show_default="gone with the wearable",
    ),
]
NoWarmUp = Annotated[bool, typer.Option("--no-warm-up", help="Start with sensors that have settled.")]
Speed = Annotated[str, typer.Option("--speed", parser=_speed, metavar="X", help="Simulated seconds a second, or max.")]
Trust = Annotated[
    list[Path] | None,
    typer.Option("--trust", metavar="PEM", help="Trust this key, not the development key; may be repeated."),
]
Kernels = Annotated[Literal["reference", "fast"], typer.Option("--kernels", help="How networks are run.")]
Firmware = Annotated[
    Path | None,
    typer.Option("--firmware", metavar="FILE", help="What the board runs.", show_default="by make firmware"),
]
Noise = Annotated[
    str, typer.Option("--line-noise", metavar="SPEC", help="What the serial line does to bytes: flip=1e-4,drop=2e-5")
]
Gdb = Annotated[
    Path | None, typer.Option("--gdb", metavar="PATH", help="Socket at which the emulator awaits a debugger.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
BOARDS = ", ".join(f"{name}: {kind.summary}" for name, kind in KINDS.items())


def known_board(name: str) -> str:
    """The name of a board; raises UsageError where there is none."""
    if name not in KINDS:
        raise UsageError(f"There is no board {name!r}; choose one of {', '.join(KINDS)}.")
    return name


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulated:
    """What is simulated, whatever runs on it."""

    wearable: WearableName = DEFAULT_WEARABLE
    world: WorldName = None
    seed: Seed = 0
    eeprom: Eeprom = None
    replay: Replay = None
    faults: Faults = ""
    script: Script = None
    person: WearerNumber = None
    happenings: Happenings = ""
    state: State = None
    no_warm_up: NoWarmUp = False

    def options(self, link: Path) -> dict[str, Any]:
        """What `WearableOptions` and `BoardOptions` both have."""
        return {
            "link": link.absolute(),
            "wearable": self.wearable,
            "world": self.world,
            "seed": self.seed,
            "eeprom": self.eeprom,
            "replay": self.replay,
            "faults": self.faults,
            "script": self.script,
            "person": self.person,
            "happenings": self.happenings,
            "state": self.state,
            "warm_up": not self.no_warm_up,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class OfAgent:
    """How the agent runs."""

    speed: Speed = "1"
    trust: Trust = None
    kernels: Kernels = "reference"

    def options(self) -> dict[str, Any]:
        """As `WearableOptions` has them."""
        pace = None if self.speed == "max" else float(self.speed)
        return {"speed": pace, "trust": tuple(self.trust or ()), "kernels": self.kernels}


@dataclass(frozen=True, slots=True, kw_only=True)
class OfBoard:
    """How a board runs."""

    firmware: Firmware = None
    line_noise: Noise = ""
    gdb: Gdb = None

    def options(self) -> dict[str, Any]:
        """As `BoardOptions` has them; raises UsageError."""
        return {"firmware": self.firmware, "noise": LineNoise.parse(self.line_noise), "gdb": self.gdb}


def expanded(command: Callable[..., int]) -> Callable[..., int]:
    """A command whose parameters of these groups are an option for each of their fields."""
    hints = get_type_hints(command, include_extras=True)
    groups = {name: kind for name, kind in hints.items() if kind in (Simulated, OfAgent, OfBoard)}
    parameters = []
    for name, parameter in inspect.signature(command).parameters.items():
        if name not in groups:
            kept = parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY, annotation=hints[name])
            parameters.append(kept)
            continue
        of = get_type_hints(groups[name], include_extras=True)
        for field in fields(groups[name]):
            assert field.default is not MISSING
            parameters.append(
                inspect.Parameter(
                    field.name, inspect.Parameter.KEYWORD_ONLY, default=field.default, annotation=of[field.name]
                )
            )

    def run(**given: Any) -> int:
        for name, group in groups.items():
            given[name] = group(**{field.name: given.pop(field.name) for field in fields(group)})
        return command(**given)

    described: Any = run
    described.__name__, described.__doc__ = command.__name__, command.__doc__
    described.__signature__ = inspect.Signature(parameters)
    run.__annotations__ = {one.name: one.annotation for one in parameters}
    return run
