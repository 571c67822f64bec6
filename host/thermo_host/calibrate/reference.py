"""Where the true temperatures come from: a blackbody whose reading is typed in, or the simulator's own.

Which temperature is "true" depends on emissivity. The correction is applied, at the device and at the host alike, to
what the decoder shows with the profile's emissivity and reflected temperature; so it must take exactly this to what
an ideal sensor would show with the same settings, no more. A blackbody of emissivity e_b radiates e_b T_b^4 + (1 -
e_b) T_s^4 (T_s: what it reflects, kelvin). An ideal sensor decodes that with the profile's e and T_r to the
temperature `apparent_celsius` gives. Where the two emissivities are equal, that is the blackbody's own temperature.
Calibrating to the blackbody's reading without this step would hide the difference of emissivities in the sensor's
constants, where skin does not have it.
"""

import contextlib
import json
import re
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from thermo_core.errors import CalibrationFailedError, LinkError, UsageError
from thermo_core.units import KELVIN
from thermo_host.link.ports import control_socket

REFLECTED_BELOW_TA = 8.0
"""The reflected temperature a decoder assumes where none is given: Ta - 8 K (Melexis)."""
PLAUSIBLE_K = 2.0
"""A typed reading further from what was asked for is asked again."""


@dataclass(frozen=True, slots=True)
class ReferenceUncertainty:
    """What is known of the blackbody, for the uncertainty budget.

    Attributes:
        expanded: of its reading, K, k = 2 (from its certificate).
        uniformity: half-width over its surface, K.
        emissivity: half-width of its emissivity.
        field_of_view: half-width of what stray light from around it adds, K.
    """

    expanded: float = 0.1
    uniformity: float = 0.05
    emissivity: float = 0.005
    field_of_view: float = 0.03


EXACT = ReferenceUncertainty(0.0, 0.0, 0.0, 0.0)
"""A simulated blackbody is what it says."""


class Reference(Protocol):
    """A blackbody, and with it the bath of the thermistors."""

    @property
    def name(self) -> str:
        """For the report."""
        ...

    @property
    def uncertainty(self) -> ReferenceUncertainty:
        """For the budget."""
        ...

    def set_point(self, celsius: float) -> float:
        """Bring the blackbody to `celsius`, wait until it is there, and return its reading, degC."""
        ...

    def ambient(self, celsius: float) -> None:
        """Bring the surroundings to `celsius`; the die settles afterwards."""
        ...

    def close(self) -> None:
        """Leave things as they were found."""
        ...


class TypedReference:
    """A blackbody set by hand.

    Args:
        ask: shows a prompt and returns the line typed; raises EOFError where nobody can type.
        uncertainty: of the blackbody.
        tell: shows a line.
        apparatus: "blackbody" or "bath".
    """

    name = "typed in"

    def __init__(
        self,
        ask: Callable[[str], str],
        uncertainty: ReferenceUncertainty,
        tell: Callable[[str], None],
        apparatus: str = "blackbody",
    ) -> None:
        self._ask = ask
        self._apparatus = apparatus
        self._tell = tell
        self.uncertainty = uncertainty

    def set_point(self, celsius: float) -> float:
        """Ask until a plausible reading is typed. Raises UsageError where standard input ends."""
        prompt = (
            f"Set the {self._apparatus} to {celsius:.1f} degC, wait until it is stable, type its reading and Enter: "
        )
        while True:
            try:
                reading = parse_reading(self._line(prompt))
            except ValueError:
                self._tell("That is no temperature; type degrees Celsius, such as 30.02.")
                continue
            if abs(reading - celsius) <= PLAUSIBLE_K:
                return reading
            self._tell(
                f"{reading:g} degC is more than {PLAUSIBLE_K:g} K from {celsius:.1f}; check the {self._apparatus}."
            )

    def ambient(self, celsius: float) -> None:
        """Ask the user to bring the wearable there."""
        self._line(f"Bring the wearable to an ambient of {celsius:.1f} degC, wait until it has settled, press Enter: ")

    def close(self) -> None:
        """Nothing to leave behind."""

    def _line(self, prompt: str) -> str:
        try:
            return self._ask(prompt)
        except EOFError as error:
            raise UsageError(
                "No reading can be typed because standard input has ended; run calibrate in a "
                "terminal, or with --reference sim against a simulated wearable."
            ) from error


class TypedPositions:
    """A wearable laid down by hand.

    Args:
        ask: shows a prompt and returns when Enter was pressed; raises EOFError where nobody can type.
    """

    name = "laid by hand"

    def __init__(self, ask: Callable[[str], str]) -> None:
        self._ask = ask

    def lay(self, position: str, g: tuple[float, float, float]) -> None:
        """Ask for it. Raises UsageError where standard input ends."""
        try:
            self._ask(f"Lay the wearable at rest, {position}, and press Enter: ")
        except EOFError as error:
            raise UsageError(
                "Nobody can lay the wearable down because standard input has ended; run calibrate in a terminal, or with "
                "--reference sim against a simulated wearable."
            ) from error

    def close(self) -> None:
        """Nothing to leave behind."""


class SimulatedReference:
    """The simulator's blackbody, driven over the control socket beside the wearable's port.

    The wearable's own scene (and ambient, where it was changed) come back with `close`.

    Args:
        path: the socket, `<port>.ctl`.
        timeout_s: for each answer.

    Raises LinkError where nobody answers.
    """

    name = "simulator"
    uncertainty = EXACT

    def __init__(self, path: Path, timeout_s: float = 10.0) -> None:
        self._path = path
        self._ambient: float | None = None
        self._laid = False
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(timeout_s)
        try:
            self._socket.connect(str(path))
        except OSError as error:
            self._socket.close()
            raise LinkError(
                f"The simulator's control socket {path} does not answer ({error.strerror or error}); "
                "start the wearable with thermo-sim wearable --link, or use --reference typed."
            ) from error
        self._lines = self._socket.makefile("r", encoding="utf-8")

    def set_point(self, celsius: float) -> float:
        """Blackbody and thermistor bath are there at once."""
        self._request({"cmd": "blackbody", "celsius": celsius})
        return celsius

    def lay(self, position: str, g: tuple[float, float, float]) -> None:
        """The wearable lies so at once; what holds is `close`d again."""
        self._request({"cmd": "position", "g": list(g)})
        self._laid = True

    def ambient(self, celsius: float) -> None:
        """Change the simulated room."""
        if self._ambient is None:
            before = self._request({"cmd": "status"}).get("ambient_celsius")
            self._ambient = float(before) if isinstance(before, int | float) else celsius
        self._request({"cmd": "ambient", "celsius": celsius})

    def close(self) -> None:
        """Bring the wearable's scene and ambient back; safe to call after the simulator has gone."""
        with contextlib.suppress(LinkError):
            self._request({"cmd": "scene"})
            if self._laid:
                self._request({"cmd": "position"})
            if self._ambient is not None:
                self._request({"cmd": "ambient", "celsius": self._ambient})
        self._lines.close()
        self._socket.close()

    def _request(self, request: dict[str, object]) -> dict[str, object]:
        try:
            self._socket.sendall(json.dumps(request).encode() + b"\n")
            line = self._lines.readline()
            answer = json.loads(line) if line else None
        except (OSError, ValueError, RecursionError) as error:
            raise LinkError(
                f"The simulator stopped answering on {self._path} ({error}); is thermo-sim still running?"
            ) from error
        if not isinstance(answer, dict):
            raise LinkError(f"The simulator closed {self._path}; is thermo-sim still running?")
        if not answer.get("ok"):
            raise CalibrationFailedError(
                f"The simulator refused {request['cmd']!r}: {answer.get('error', 'no reason given')}"
            )
        return answer


def simulator_socket(port: str) -> Path | None:
    """The control socket of a simulated wearable's port, or None where there is none."""
    path = control_socket(port)
    return path if path.is_socket() else None


def parse_reading(text: str) -> float:
    """`30.02`, `30,02` or `30.02 degC` as degC; ValueError for anything else."""
    match = re.fullmatch(r"([+-]?\d{1,3}(?:[.,]\d+)?)\s*(?:°\s*C|deg\s?C|C)?", text.strip())
    if match is None:
        raise ValueError(text)
    return float(match[1].replace(",", "."))


def apparent_celsius(
    blackbody: float, blackbody_emissivity: float, emissivity: float, ta: float, reflected: float | None
) -> float:
    """What an ideal sensor shows of a blackbody, degC.

    Args:
        blackbody: its temperature, degC.
        blackbody_emissivity: its emissivity.
        emissivity: the one the wearable decodes with.
        ta: die temperature, degC.
        reflected: the reflected temperature the wearable decodes with, degC; None for Ta - 8. The blackbody, close
            before the sensor, is taken to reflect the same.
    """
    around = (ta - REFLECTED_BELOW_TA if reflected is None else reflected) + KELVIN
    radiated = blackbody_emissivity * (blackbody + KELVIN) ** 4 + (1 - blackbody_emissivity) * around**4
    shown: float = ((radiated - (1 - emissivity) * around**4) / emissivity) ** 0.25 - KELVIN
    return shown


def emissivity_sensitivity(blackbody: float, emissivity: float, ta: float, reflected: float | None) -> float:
    """Kelvin by which the shown temperature of `blackbody` (degC) changes per unit of emissivity."""
    around = (ta - REFLECTED_BELOW_TA if reflected is None else reflected) + KELVIN
    kelvin = blackbody + KELVIN
    sensitivity: float = (kelvin**4 - around**4) / (4 * emissivity * kelvin**3)
    return sensitivity
