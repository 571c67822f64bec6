"""What each kind of sensor is in the firmware: a row that says which driver it has and how its settings are written in C."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from thermo_core.errors import BundleError
from thermo_core.sensors.ads1115_ntc.settings import Ads1115NtcSettings, Thermistor
from thermo_core.sensors.external.settings import ExternalSettings
from thermo_core.sensors.mlx90640.settings import RATES_HZ, Mlx90640Settings
from thermo_core.sensors.settings import SensorSettings
from thermo_quantize.c_text import boolean, real, text


@dataclass(frozen=True, slots=True)
class FirmwareSensor:
    """How a kind is generated.

    Attributes:
        stem: of its driver: sensors/STEM.h has `struct STEM_state` and `STEM_driver`.
        settings: C type of its settings.
        fields: (settings, number) -> fields of the settings' initializer.
        state: (settings, number) -> definitions before the state, and fields of the state's initializer.
    """

    stem: str
    settings: str
    fields: Callable[[Any], Mapping[str, str]]
    state: Callable[[Any, int], tuple[str, Mapping[str, str]]] = lambda settings, number: ("", {})


def _camera(settings: Mlx90640Settings) -> Mapping[str, str]:
    reflected = settings.reflected_celsius
    return {
        "address": _address(settings),
        "refresh_code": str(RATES_HZ.index(settings.rate_hz)),
        "resolution_code": str(settings.resolution_bits - 16),
        "chess": boolean(settings.pattern == "chess"),
        "emissivity": real(settings.emissivity),
        "reflected_celsius": "NAN" if reflected is None else real(reflected),
    }


def _thermistors(settings: Ads1115NtcSettings) -> Mapping[str, str]:
    return {
        "address": _address(settings),
        "channel_count": str(len(settings.channels)),
        "rate_hz": real(settings.rate_hz),
        "channels": "{" + ", ".join(map(_thermistor, settings.channels)) + "}",
    }


def _thermistor(one: Thermistor) -> str:
    curve = ", ".join(map(real, one.curve))
    return (
        f"{{.name = {text(one.name)}, .series_ohm = {real(one.series_ohm)}, .supply_v = {real(one.supply_v)}, "
        f".ntc_to_ground = {boolean(one.ntc == 'to ground')}, .steinhart_hart = {boolean(len(one.curve) == 3)}, "
        f".curve = {{{curve}}}, .self_heating_k_per_mw = {real(one.self_heating_k_per_mw)}}}"
    )


def _external(settings: ExternalSettings) -> Mapping[str, str]:
    (signal,) = settings.signals
    return {
        "elements": str(signal.elements),
        "low": real(settings.low),
        "high": real(settings.high),
        "rate_hz": real(settings.rate_hz),
    }


def _external_state(settings: ExternalSettings, number: int) -> tuple[str, Mapping[str, str]]:
    (signal,) = settings.signals
    return f"static float given_{number}[{signal.elements}];\n", {"values": f"given_{number}"}


def _address(settings: SensorSettings) -> str:
    path = settings.bus_path
    if path is None or path.hops:
        raise BundleError(
            f'The sensor "{settings.name}" lies behind a multiplexer, which the firmware does not switch; wire it to the bus '
            "itself, or run this wearable on the agent."
        )
    return f"0x{path.address:02X}"


SENSORS: Mapping[str, FirmwareSensor] = {
    "mlx90640": FirmwareSensor("mlx90640", "camera_settings", _camera),
    "ads1115-ntc": FirmwareSensor("ads1115_ntc", "thermistor_settings", _thermistors),
    "external": FirmwareSensor("external", "external_settings", _external, _external_state),
}
"""By the name a profile calls the kind."""


def row_of(settings: SensorSettings) -> FirmwareSensor:
    """How a sensor is generated.

    Raises:
        BundleError: the firmware has no driver of its kind.
    """
    if settings.kind not in SENSORS:
        raise BundleError(
            f'The sensor "{settings.name}" is of kind {settings.kind}, and the firmware drives {", ".join(SENSORS)}; run this '
            "wearable on the agent."
        )
    return SENSORS[settings.kind]
