"""All that is needed to make sense of a stream of telemetry: who sends it, its EEPROMs, its calibration, its start."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from thermo_core.correction import Correction
from thermo_core.errors import BundleError, RefusedError
from thermo_core.frames import Words
from thermo_core.profile import Profile, decode_profile
from thermo_core.wire.management import Hello
from thermo_host.link import Wearable
from thermo_host.pictures import EMISSIVITY, DecodeSettings, PictureReader, Pictures

PICTURE_SENSOR = "mlx90640"


@dataclass(frozen=True, slots=True)
class Session:
    """What a host fetches before it listens, and a recording keeps.

    Attributes:
        hello: who the wearable is.
        eeproms: (832,) uint16 of each picture sensor, by its number.
        correction: per-pixel calibration stored on it, None where there is none.
        started_ns: nanoseconds since 1970 UTC.
        port: where it was.
        profile_cbor: its profile as it sends it; b"" where it has none.
    """

    hello: Hello
    eeproms: Mapping[int, Words]
    correction: Correction | None
    started_ns: int
    port: str = ""
    profile_cbor: bytes = b""

    @property
    def profile(self) -> Profile | None:
        """What kind of wearable it is; None where that is not known, or not to this version."""
        try:
            return decode_profile(self.profile_cbor, "The profile") if self.profile_cbor else None
        except BundleError:
            return None

    @property
    def started(self) -> datetime:
        """When it began, in UTC."""
        return datetime.fromtimestamp(self.started_ns / 1e9, UTC)

    def pictures(self, settings: DecodeSettings | None = None) -> Pictures:
        """Readers for its picture sensors.

        Raises:
            EepromError: an EEPROM is corrupt.
            UsageError: a setting is out of range.
        """
        settings = settings or DecodeSettings()
        readers = {}
        for sensor in self.hello.sensors:
            if sensor.sensor not in self.eeproms or sensor.kind != PICTURE_SENSOR:
                continue
            emissivity = settings.emissivity if settings.emissivity is not None else sensor.emissivity
            readers[sensor.sensor] = PictureReader(
                self.eeproms[sensor.sensor],
                self.correction if settings.corrected else None,
                EMISSIVITY if emissivity is None else emissivity,
                settings.reflected if settings.reflected is not None else sensor.reflected,
            )
        return Pictures(readers)


def fetch(wearable: Wearable) -> Session:
    """Ask a wearable for all of it.

    Raises:
        LinkError: it does not answer, or refuses.
        CorrectionError: the calibration it sends is damaged.
    """
    hello = wearable.hello()
    numbers = [sensor.sensor for sensor in hello.sensors if sensor.kind == PICTURE_SENSOR]
    return Session(
        hello=hello,
        eeproms={number: wearable.eeprom(number) for number in numbers},
        correction=wearable.calibration() if hello.calibrated else None,
        started_ns=wearable.clock.utc_ns(hello.time_us),
        port=wearable.port,
        profile_cbor=_profile(wearable),
    )


def _profile(wearable: Wearable) -> bytes:
    try:
        return wearable.profile_bytes()
    except RefusedError:
        return b""
