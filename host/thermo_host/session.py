"""All that is needed to make sense of a stream of telemetry: who sends it, its EEPROMs, its calibration, its start."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from thermo_core.correction import Correction
from thermo_core.profile import Profile, decode_profile

from thermo_core.errors import BundleError, ManagementError, RefusedError
from thermo_core.recording.layout import Gap
from thermo_core.sensors.mlx90640.frames import Words
from thermo_core.wire.management import Hello, SensorInfo
from thermo_core.wire.records import SubpageRecord
from thermo_host.lease import Lost, Telemetry
from thermo_host.link import CHANGES, Wearable
from thermo_host.pictures import EMISSIVITY, DecodeSettings, PictureReader, Pictures

PICTURE_SENSOR = "mlx90640"


@dataclass(frozen=True, slots=True)
class Session:
    """What a host fetches before it listens, and again whenever it may have changed, and a recording keeps.

    Attributes:
        hello: who the wearable is.
        eeproms: (832,) uint16 of each picture sensor, by its number; of the generation that `hello` names.
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
                sensor.generation,
            )
        return Pictures(readers)

    def decodes(self, record: SubpageRecord) -> bool:
        """Whether a subpage is not of newer constants than these."""
        sensor = self._sensor(record.sensor)
        return sensor is None or sensor.kind != PICTURE_SENSOR or record.generation <= sensor.generation

    def changes(self, later: "Session") -> tuple[str, ...]:
        """What another session of the same wearable found changed, in words; empty where nothing is."""
        found = []
        for sensor in later.hello.sensors:
            if sensor.kind == PICTURE_SENSOR and not _same_constants(self, later, sensor.sensor):
                before = self._sensor(sensor.sensor)
                other = before is not None and before.id and sensor.id and before.id != sensor.id
                found.append(f"{'sensor' if other else 'the EEPROM of sensor'} {sensor.sensor}")
        if _bytes(self.correction) != _bytes(later.correction):
            found.append("the calibration")
        if self.profile_cbor != later.profile_cbor:
            found.append("the profile")
        if (self.hello.model, self.hello.labels) != (later.hello.model, later.hello.labels):
            found.append("the model")
        if self.hello.software != later.hello.software:
            found.append("the software")
        if not found and replace(self.hello, time_us=0) != replace(later.hello, time_us=0):
            found.append("what the wearable says of itself")
        return tuple(found)

    def _sensor(self, number: int) -> SensorInfo | None:
        return next((sensor for sensor in self.hello.sensors if sensor.sensor == number), None)


Item = Telemetry | Gap | Lost | Session
"""What comes of listening, or from a recording; a session means that from here on it holds, and not the one before."""


def fetch(wearable: Wearable, partly: bool = False) -> Session:
    """Ask a wearable for all of it.

    Args:
        wearable: an open session.
        partly: do without the EEPROM of a sensor that the wearable has not read yet.

    Raises:
        LinkError: it does not answer, or refuses.
        CorrectionError: the calibration it sends is damaged.
    """
    hello, eeproms = _constants(wearable, partly)
    return Session(
        hello=hello,
        eeproms=eeproms,
        correction=wearable.calibration() if hello.calibrated else None,
        started_ns=wearable.clock.utc_ns(hello.time_us),
        port=wearable.port,
        profile_cbor=_profile(wearable),
    )


def _constants(wearable: Wearable, partly: bool) -> tuple[Hello, dict[int, Words]]:
    """Who it is and its EEPROMs, of one and the same moment."""
    for _ in range(CHANGES):
        hello = wearable.hello()
        generations = {sensor.sensor: sensor.generation for sensor in hello.sensors if sensor.kind == PICTURE_SENSOR}
        read = {}
        for number in generations:
            try:
                read[number] = wearable.constants(number)
            except RefusedError:
                if not partly:
                    raise
        if all(generation == generations[number] for number, (_, generation) in read.items()):
            return hello, {number: words for number, (words, _) in read.items()}
    raise ManagementError(
        f"{wearable.port} had other sensors put in {CHANGES} times while their EEPROMs were read; check that the sensor sits "
        "firmly."
    )


def _same_constants(one: Session, other: Session, sensor: int) -> bool:
    before, after = one.eeproms.get(sensor), other.eeproms.get(sensor)
    return before is not None and after is not None and bool((before == after).all())


def _bytes(correction: Correction | None) -> bytes:
    return b"" if correction is None else correction.to_bytes()


def _profile(wearable: Wearable) -> bytes:
    try:
        return wearable.profile_bytes()
    except RefusedError:
        return b""
