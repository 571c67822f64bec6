"""A simulated wearable: the real device agent on simulated hardware, behind a pseudo-terminal with a stable name."""

import contextlib
import shutil
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from thermo_core.clock import Clock
from thermo_core.errors import LinkLostError, PortNotFoundError, UsageError
from thermo_core.graph.bare import without_models
from thermo_core.signals import Values
from thermo_core.wearable.profile import Profile
from thermo_device.agent import Agent, AgentSettings
from thermo_device.development_key import DEVELOPMENT_PUBLIC_KEY
from thermo_device.hardware import Hardware
from thermo_device.keys import load_trusted
from thermo_device.person_store import PersonStore
from thermo_sim.clock import GivingClock, VirtualClock, WallClock
from thermo_sim.control import ControlServer
from thermo_sim.hardware import DEFAULT_WEARABLE, SimulatedHardware
from thermo_sim.laboratory import laboratory_commands
from thermo_sim.pseudo_terminal import PseudoTerminal

PULL_S = 5.0
SLOWEST = 0.2
"""Below this, simulated sensors keep requests waiting longer than their clients do."""


@dataclass(frozen=True, slots=True)
class WearableOptions:
    """What to simulate.

    Attributes:
        link: name under which a host finds the port; the control socket is `<link>.ctl`.
        wearable: name or file of the wearable.
        world: name or file of what is around it; what was made for the wearable where None.
        seed: of everything random.
        eeprom: file with a real sensor's EEPROM instead of a made one.
        replay: file with raw frames of a real sensor, shown in turn instead of the scene; unless `eeprom` is given, it
            holds that sensor's EEPROM too.
        faults: specification, see `thermo_sim.faults.parse_faults`.
        speed: simulated seconds a real second; None runs as fast as the machine can and drops no telemetry.
        state: directory of slots and calibration; None makes one that goes away with the wearable.
        trust: public keys whose images may run; the development key where empty.
        kernels: "reference" or "fast".
        warm_up: whether the sensor starts cold.
        script, person: of who wears it, instead of the world's; see `thermo_sim.world_file.Body`.
        happenings: what else happens to the wearer, see `thermo_sim.people.happenings.parse_happenings`.
    """

    link: Path
    wearable: str = DEFAULT_WEARABLE
    world: str | None = None
    seed: int = 0
    eeprom: Path | None = None
    replay: Path | None = None
    faults: str = ""
    speed: float | None = 1.0
    state: Path | None = None
    trust: tuple[Path, ...] = ()
    kernels: str = "reference"
    warm_up: bool = True
    script: str | None = None
    person: int | None = None
    happenings: str = ""


def said_of(profile: Profile) -> str:
    """Chips by kind, in words: "simulated mlx90640, ads1115-ntc and 3 mlx90632"; "no chip" where all comes from outside."""
    counts = Counter(sensor.kind for sensor in profile.sensors if sensor.bus_path is not None)
    words = [kind if count == 1 else f"{count} {kind}" for kind, count in counts.items()]
    if len(words) > 1:
        words = [", ".join(words[:-1]), words[-1]]
    return f"simulated {' and '.join(words)}" if words else "no chip"


def wearer_of(hardware: SimulatedHardware) -> dict[str, float]:
    """What the world has of the wearer and the wearable asks for."""
    course, body = hardware.around.course, hardware.world.body
    known = course.person.told() if course is not None and body is not None and body.told else {}
    return {
        name: value for name, value in {**known, **hardware.world.wearer}.items() if name in hardware.profile.person
    }


def outside_of(hardware: SimulatedHardware) -> str:
    """In words, what comes to sensors that are no chips; "" where all are."""
    names = [sensor.name for sensor in hardware.profile.sensors if sensor.bus_path is None]
    given = hardware.giver.names
    missing = [name for name in names if name not in given]
    said = f"; the world gives {', '.join(given)}" if given else ""
    return said + (f"; nothing gives {', '.join(missing)} but thermo-host feed" if missing else "")


class Cable(PseudoTerminal):
    """A pseudo-terminal that can be pulled: the link goes, whoever has it open gets a hangup, and later it is back.

    Args:
        link: symbolic link to the host's side.
    """

    def __init__(self, link: Path) -> None:
        super().__init__(link)
        self._back_s = 0.0
        self._pulled = False
        self._out = threading.Event()

    def pull(self, seconds: float, wake: Callable[[], None]) -> None:
        """Pull the plug for so long and return when it is out; any thread but the port's own may call it.

        Args:
            seconds: until it can be opened again.
            wake: makes the port's thread look at it.
        """
        self._back_s = time.monotonic() + seconds
        self._out.clear()
        self._pulled = True
        wake()
        self._out.wait(PULL_S)

    def close(self) -> None:
        """Close it; harmless when closed."""
        super().close()
        self._out.set()

    def open(self) -> None:
        """Open it, unless it is pulled."""
        if time.monotonic() < self._back_s:
            raise PortNotFoundError(f"{self.name} is unplugged; it comes back by itself.")
        self._pulled = False
        super().open()

    def fileno(self) -> int:
        """Descriptor to poll.

        Raises:
            LinkLostError: somebody pulled the plug.
        """
        if self._pulled:
            raise LinkLostError(f"{self.name} was unplugged; it is opened again when it returns.")
        return super().fileno()


class Wearable:
    """One simulated wearable. Use it in a `with` block, or call `start` and `stop`.

    Args:
        options: what to simulate.

    Attributes:
        options: as given.
        hardware: the simulated hardware, to look at the truth.
        control_path: the control socket.

    Raises:
        UsageError: an option is wrong.
        EepromError: the EEPROM file is no healthy sensor's.
    """

    def __init__(self, options: WearableOptions) -> None:
        self.options = options
        if options.speed is not None and not options.speed >= SLOWEST:
            raise UsageError(f"The speed {options.speed:g} is too low; give {SLOWEST:g} or more, or max.")
        clock: Clock = VirtualClock() if options.speed is None else WallClock(options.speed)
        self.hardware = SimulatedHardware.of_real(
            options.wearable,
            options.seed,
            options.eeprom,
            options.replay,
            world=options.world,
            clock=clock,
            faults=options.faults,
            warm_up_tau_s=None if options.warm_up else 0.0,
            script=options.script,
            person=options.person,
            happenings=options.happenings,
        )
        self.control_path = options.link.with_name(options.link.name + ".ctl")
        self._cable = Cable(options.link)
        self._temporary: str | None = None
        state = options.state
        if state is None:
            self._temporary = tempfile.mkdtemp(prefix="thermo-sim-")
            state = Path(self._temporary)
        giving = GivingClock(clock, self.hardware.giver, self._listened_to, self._give)
        try:
            _tell(state, wearer_of(self.hardware))
            self._agent = Agent(
                self._cable,
                Hardware(
                    self.hardware.bus, giving, f"thermo-sim {self.hardware.name}", f"SIM-{options.seed:08d}", True
                ),
                AgentSettings(
                    state=state,
                    trusted=load_trusted(options.trust or (DEVELOPMENT_PUBLIC_KEY,)),
                    kernels=options.kernels,
                    lossless=options.speed is None,
                    bare=without_models(self.hardware.profile),
                ),
            )
        except BaseException:
            self._remove_state()
            raise
        self._control = ControlServer(
            self.control_path, laboratory_commands(self.hardware, self._unplug, self._describe_state)
        )
        self._thread = threading.Thread(target=self._run, name="serial", daemon=True)
        self._failure: BaseException | None = None

    def __enter__(self) -> "Wearable":
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Make the link and the control socket and serve; returns when both can be used.

        Raises:
            UsageError: the link or the socket cannot be made, or another wearable serves them.
        """
        try:
            self._control.start()
        except BaseException:
            self._remove_state()
            raise
        try:
            if self.options.link.is_symlink():  # of a wearable that was killed: nobody serves its control socket
                with contextlib.suppress(OSError):  # somebody else's is said when the link is made
                    self.options.link.unlink()
            self._thread.start()
            while not self.options.link.is_symlink() and not self.wait(0.005):
                pass
        except BaseException:
            self.stop()
            raise

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until the agent ends by itself; raises what ended it. True when it has ended."""
        self._thread.join(timeout_s)
        if self._thread.is_alive():
            return False
        if self._failure is not None:
            raise self._failure
        return True

    def stop(self) -> None:
        """Stop serving and remove link, socket and a temporary state directory."""
        self._agent.stop()
        if self._thread.ident is not None:
            self._thread.join()
        self._control.stop()
        self._remove_state()

    def describe(self) -> str:
        """One line for people: what is simulated, and where."""
        options = self.options
        speed = "as fast as possible" if options.speed is None else f"at {options.speed:g}x speed"
        real = options.eeprom or options.replay
        source = f"seed {options.seed}" if real is None else f"EEPROM of {real.name}"
        if options.replay is not None:
            source += f", frames of {options.replay.name}"
        faults = f", faults {options.faults}" if options.faults else ""
        return (
            f"ready: {self.hardware.name} with {said_of(self.hardware.profile)} ({source}) "
            f"{speed}{faults}{outside_of(self.hardware)}; port {options.link}, control {self.control_path}"
        )

    def _run(self) -> None:
        try:
            self._agent.run()
        except BaseException as error:
            self._failure = error

    def _listened_to(self) -> bool:
        return self._agent.listened_to

    def _give(self, sensor: str, values: Values) -> None:
        self._agent.give(sensor, values)

    def _remove_state(self) -> None:
        if self._temporary is not None:
            shutil.rmtree(self._temporary, ignore_errors=True)

    def _unplug(self, seconds: float) -> None:
        self._cable.pull(seconds, self._agent.wake)

    def _describe_state(self) -> dict[str, Any]:
        return {"link": str(self.options.link), "counters": self._agent.counters.snapshot()}


def _tell(state: Path, wearer: Mapping[str, float]) -> None:
    """Have an agent know of its wearer what it was never told."""
    store = PersonStore(state)
    if untold := {name: value for name, value in wearer.items() if name not in store.read()}:
        with contextlib.suppress(OSError):  # the agent says why it cannot be used
            state.mkdir(parents=True, exist_ok=True)
            store.write(untold)
