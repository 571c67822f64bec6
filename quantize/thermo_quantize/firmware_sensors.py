"""What each kind of sensor is in the firmware: a row that says which driver it has and how its settings are written in C."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from thermo_core.errors import BundleError
from thermo_core.sensors.ads1115_ntc.settings import Ads1115NtcSettings, Thermistor
from thermo_core.sensors.external.settings import ExternalSettings
from thermo_core.sensors.lis3dh import setup as lis3dh_setup
from thermo_core.sensors.lis3dh.registers import SHIFT
from thermo_core.sensors.lis3dh.settings import Lis3dhSettings
from thermo_core.sensors.max3010x import setup as max3010x_setup
from thermo_core.sensors.max3010x.settings import Max3010xSettings
from thermo_core.sensors.mlx90614.kind import STALE_S as MLX90614_STALE_S
from thermo_core.sensors.mlx90614.settings import Mlx90614Settings
from thermo_core.sensors.mlx90632.registers import RATES_HZ as MLX90632_RATES_HZ
from thermo_core.sensors.mlx90632.settings import Mlx90632Settings
from thermo_core.sensors.mlx90640.settings import RATES_HZ, Mlx90640Settings
from thermo_core.sensors.path import Hop
from thermo_core.sensors.settings import BusSensorSettings, SensorSettings
from thermo_core.sensors.sht4x.decode import MEASURE
from thermo_core.sensors.sht4x.settings import CONVERSION_MS, Sht4xSettings
from thermo_core.sensors.tmp117.kind import STALE_S as TMP117_STALE_S
from thermo_core.sensors.tmp117.settings import Tmp117Settings
from thermo_core.sensors.tmp117.setup import configuration
from thermo_quantize.c_text import boolean, real, text

_MARGIN_US = 300
"""Beyond the longest time that an SHT4x says it measures."""


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
        "check_scans": str(settings.check_scans),
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


def _optics(settings: Mlx90632Settings | Mlx90614Settings) -> str:
    reflected = settings.reflected_celsius
    mirrored = "NAN" if reflected is None else real(reflected)
    return f"{{.emissivity = {real(settings.emissivity)}, .reflected_celsius = {mirrored}}}"


def _mlx90632(settings: Mlx90632Settings) -> Mapping[str, str]:
    return {
        "address": _address(settings),
        "rate_code": str(MLX90632_RATES_HZ.index(settings.rate_hz)),
        "rate_hz": real(settings.rate_hz),
        "optics": _optics(settings),
    }


def _mlx90614(settings: Mlx90614Settings) -> Mapping[str, str]:
    return {
        "address": _address(settings),
        "zones": str(settings.zones),
        "check_pec": boolean(settings.check_pec),
        "rate_hz": real(settings.rate_hz),
        "optics": _optics(settings),
        "stale_readings": str(max(2, round(MLX90614_STALE_S * settings.rate_hz))),
    }


def _tmp117(settings: Tmp117Settings) -> Mapping[str, str]:
    return {
        "address": _address(settings),
        "configuration": f"0x{configuration(settings):04X}",
        "rate_hz": real(settings.rate_hz),
        "stale_readings": str(max(16, round(TMP117_STALE_S * settings.rate_hz))),
    }


def _sht4x(settings: Sht4xSettings) -> Mapping[str, str]:
    return {
        "address": _address(settings),
        "command": f"0x{MEASURE[settings.repeatability]:02X}",
        "conversion_us": str(round(1000 * CONVERSION_MS[settings.repeatability]) + _MARGIN_US),
        "rate_hz": real(settings.rate_hz),
    }


def _max3010x(settings: Max3010xSettings) -> Mapping[str, str]:
    reset, *others = max3010x_setup.writes(settings)
    return {
        "address": _address(settings),
        "burst": str(settings.burst),
        "rate_hz": real(settings.rate_hz),
        "scale": f"{{.leds = {len(settings.leds)}, .range_na = {settings.range_na}, .full_count = {settings.full_count}, "
        f".contact_na = {real(settings.contact_na)}}}",
        "reset": _messages((reset,)),
        "messages": _messages(others),
    }


def _lis3dh(settings: Lis3dhSettings) -> Mapping[str, str]:
    return {
        "address": _address(settings),
        "burst": str(settings.burst),
        "rate_hz": real(settings.rate_hz),
        "scale": f"{{.shift = {SHIFT[settings.mode]}, .mg_a_count = {settings.mg_a_count}}}",
        "messages": _messages(lis3dh_setup.writes(settings)),
    }


def _messages(messages: Sequence[bytes]) -> str:
    """Each after its size, up to a size of 0."""
    data = b"".join(bytes((len(message),)) + message for message in messages) + bytes(1)
    return f"(const uint8_t[]){{{', '.join(f'0x{byte:02X}' for byte in data)}}}"


def _address(settings: BusSensorSettings) -> str:
    return f"0x{settings.bus_path.address:02X}"


def way(settings: SensorSettings) -> str:
    """Initializer of the way to a sensor's chip; "" where it is on the bus itself."""
    return "" if settings.bus_path is None else _way(settings.bus_path.hops)


def multiplexers(sensors: Sequence[SensorSettings]) -> list[str]:
    """Initializers of all multiplexers on the ways to sensors, by their addresses."""
    found = {
        (hop.address, path.hops[:depth])
        for sensor in sensors
        if (path := sensor.bus_path) is not None
        for depth, hop in enumerate(path.hops)
    }
    return [
        f"{{.address = 0x{address:02X}{f', .way = {_way(before)}' if before else ''}}}"
        for address, before in sorted(found, key=lambda one: (one[0], [(hop.address, hop.channel) for hop in one[1]]))
    ]


def _way(hops: Sequence[Hop]) -> str:
    if not hops:
        return ""
    listed = ", ".join(f"{{.address = 0x{hop.address:02X}, .channel = {hop.channel}}}" for hop in hops)
    return f"{{.depth = {len(hops)}, .hops = {{{listed}}}}}"


SENSORS: Mapping[str, FirmwareSensor] = {
    "mlx90640": FirmwareSensor("mlx90640", "mlx90640_settings", _camera),
    "ads1115-ntc": FirmwareSensor("ads1115_ntc", "thermistor_settings", _thermistors),
    "external": FirmwareSensor("external", "external_settings", _external, _external_state),
    "mlx90632": FirmwareSensor("mlx90632", "mlx90632_settings", _mlx90632),
    "mlx90614": FirmwareSensor("mlx90614", "mlx90614_settings", _mlx90614),
    "max3010x": FirmwareSensor("max3010x", "max3010x_settings", _max3010x),
    "lis3dh": FirmwareSensor("lis3dh", "lis3dh_settings", _lis3dh),
    "sht4x": FirmwareSensor("sht4x", "sht4x_settings", _sht4x),
    "tmp117": FirmwareSensor("tmp117", "tmp117_settings", _tmp117),
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
