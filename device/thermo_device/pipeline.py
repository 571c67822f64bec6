"""From the bus to records: pictures, thermistors and verdicts of one wearable, step by step."""

import time
from collections import deque

from thermo_core.correction import Correction
from thermo_core.profile import Profile
from thermo_core.typical import typical_pictures

from thermo_core.bundle import Bundle
from thermo_core.errors import ModelError, SensorError, ThermistorError
from thermo_core.image import Version
from thermo_core.sensors.mlx90640.assemble import PictureAssembler
from thermo_core.sensors.mlx90640.constants import Constants
from thermo_core.sensors.mlx90640.counts import CountsEncoder
from thermo_core.sensors.mlx90640.decode import Decoder
from thermo_core.sensors.mlx90640.frames import Celsius, Subpage, Words
from thermo_core.wire.management import SelfTestResult
from thermo_core.wire.records import (
    ClockRecord,
    EventRecord,
    Record,
    SubpageRecord,
    ThermistorRecord,
    VerdictRecord,
)
from thermo_device.acquisition import PictureSensor
from thermo_device.background import Background
from thermo_device.constants import Constants
from thermo_device.counters import FAULTS, Counters
from thermo_device.hardware import Hardware
from thermo_device.inference import Classifier
from thermo_device.keyframes import KeysWanted
from thermo_device.selftest import check_model, check_sensor, check_thermistors
from thermo_device.sightings import Sightings
from thermo_device.thermistors import ThermistorArray
from thermo_device.verdicts import VerdictMaker, rehearse

STEP_US = 250_000
"""Longest step while nothing comes."""
BACKLOG = 128
"""Records that may wait for a step that ends; of more the oldest go, as when a host asks for self-tests and never streams."""
CLOCK_US = 1_000_000
EVENT_US = 1_000_000
"""Shortest time between two events of the same fault; those in between are in the count."""
SELF_TEST_PAGES = 4
_PICTURE_SENSOR, _THERMISTORS = 0, 1
_FIRST_CERTAIN_YEAR_US = 1_704_067_200_000_000
"""A system clock before 2024 was never set."""


class Pipeline:
    """Everything a wearable measures and concludes. All methods belong to one thread, apart from `restart_keys`.

    What goes wrong on the bus is repaired inside and comes out as event records and counters.

    Args:
        hardware: bus, clock, and who this is.
        profile: the wearable.
        bundle: its model, from an image that was verified; None makes no verdicts.
        correction: per-pixel and thermistor calibration; None runs uncalibrated.
        model_version: of the bundle's image.
        kernels: "reference" or "fast", see `inference`.
        counters: where faults are counted; new ones where omitted.
        inline: classify between captures instead of beside them; for simulated time.
        sightings: what is known of sensors; without it all is forgotten at the end.

    Raises:
        ModelError: the model cannot be loaded, does not fit its contracts or gives no verdict on a typical picture, or the
            profile's thermistors cannot be.
        UsageError: the profile asks for what the sensor does not have, or there are no such kernels.

    Attributes:
        profile: as given.
        model_version: as given.
        counters: as given.
    """

    def __init__(
        self,
        hardware: Hardware,
        profile: Profile,
        bundle: Bundle | None = None,
        correction: Correction | None = None,
        *,
        model_version: Version | None = None,
        kernels: str = "reference",
        counters: Counters | None = None,
        inline: bool = False,
        sightings: Sightings | None = None,
    ) -> None:
        self.profile = profile
        self.model_version = model_version
        self.counters = counters if counters is not None else Counters()
        self._hardware = hardware
        self._clock = hardware.clock
        self._sensor = PictureSensor(
            hardware.bus,
            hardware.clock,
            profile.picture_sensor,
            self.counters,
            hardware.max_read_bytes,
            _PICTURE_SENSOR,
            sightings,
        )
        self._thermistors = self._make_thermistors()
        self._classifier = None if bundle is None else Classifier(bundle, kernels, self.counters)
        if self._classifier is not None:
            rehearse(profile, self._classifier, typical_pictures()["skin"])
        self._background: Background[VerdictRecord] = Background(inline)
        self._encoder = CountsEncoder()
        self._keys = KeysWanted()
        self._correction: Correction | None = None
        self._calibration: Constants | None = None
        self._verdicts: VerdictMaker | None = None
        self._newest: Subpage | None = None
        self._before: Subpage | None = None
        self._stepped_us: int | None = None
        self._backlog: deque[Record] = deque(maxlen=BACKLOG)
        self._clock_due_us = self._clock.now_us()
        self._reported = {name: (count, 0) for name, count in self.counters.snapshot().items()}
        self.set_correction(correction)

    @property
    def constants(self) -> Constants | None:
        """What the picture sensor's EEPROM holds; None while it never answered. Any thread may ask."""
        return self._sensor.constants

    @property
    def eeprom(self) -> Words | None:
        """(832,) EEPROM words of the picture sensor as verified; None while it never answered."""
        return self._sensor.eeprom

    @property
    def sensor_id(self) -> bytes:
        """The picture sensor's identity, 6 bytes; b"" while it is not known."""
        calibration = self._sensor.calibration
        return b"" if calibration is None else calibration.device_id

    @property
    def sensor_fault(self) -> str:
        """Why the picture sensor does not deliver, in a sentence; "" while it does."""
        return self._sensor.fault

    @property
    def warning(self) -> str:
        """Why the picture sensor's temperatures are in doubt, a sentence; "" where they are not.

        A calibration that was made with this very EEPROM has held them to a reference.
        """
        constants, correction = self._sensor.constants, self._usable_correction()
        if constants is None or _vouches(correction, constants):
            return ""
        return constants.warning

    @property
    def rate_hz(self) -> float:
        """Subpages per second the picture sensor is set to."""
        return self._sensor.rate_hz

    @property
    def calibrated(self) -> bool:
        """Whether a per-pixel calibration of this sensor is in use."""
        correction = self._usable_correction()
        return correction is not None and not correction.is_identity

    def start(self) -> None:
        """Bring the picture sensor up; where it does not answer, `step` goes on trying."""
        self._sensor.capture(self._clock.now_us())

    def resume(self) -> None:
        """Go on after a pause in which nobody called `step`: what passed meanwhile is no loss.

        Pictures and verdicts of a self-test before or during the pause are not news any more; events are.
        """
        self._background.results()
        events = [record for record in self._backlog if isinstance(record, EventRecord)]
        self._backlog.clear()
        self._backlog.extend(events)
        self._sensor.resume()
        self._encoder.restart()
        self._newest = self._before = None
        self._make_verdicts()

    def close(self) -> None:
        """End the thread that classifies."""
        self._background.close()

    def restart_keys(self, key_interval: int | None = None) -> None:
        """Send key frames next, as for a host that just came; any thread may call it.

        Args:
            key_interval: from now on, subpages of the same number from one key frame to the next.

        Raises:
            UsageError: `key_interval` is not in 1-65535.
        """
        self._keys.ask(None if key_interval is None else CountsEncoder(key_interval))

    def set_rate(self, hz: float) -> float:
        """Change the refresh rate of the picture sensor; returns the one set.

        Raises:
            UsageError: the sensor has no such rate, or the bus cannot carry it.
            BusError: the sensor does not answer.
        """
        return self._sensor.set_rate(hz)

    def set_correction(self, correction: Correction | None) -> None:
        """Use another calibration from the next picture on; one of another sensor or EEPROM is counted and not used."""
        self._correction = correction
        constants = self._sensor.constants
        if constants is not None and _vouches(self._usable_correction(), constants):
            self._sensor.trust_constants()
        self._make_verdicts()

    def step(self, until_us: int | None = None) -> list[Record]:
        """Capture at most one subpage, and whatever else is ready.

        Args:
            until_us: return by then (device clock) if no page is due; 0.25 s from now where omitted.

        Returns:
            Records in the order in which they were made.
        """
        now_us = self._clock.now_us()
        limit_us = now_us + STEP_US if until_us is None else until_us
        self._scan(min(limit_us, self._sensor.free_until_us))
        self._capture(limit_us)
        self._backlog += self._background.results()
        self._tell_clock()
        self._tell_faults()
        records = list(self._backlog)
        self._backlog.clear()
        self._stepped_us = self._clock.now_us()
        return records

    def self_test(self) -> list[SelfTestResult]:
        """Check sensor, thermistors and model; records of pages captured meanwhile come with the next step."""
        period_us = round(1e6 / self.rate_hz)
        if self._stepped_us is not None and self._clock.now_us() - self._stepped_us > 3 * period_us + STEP_US:
            # Nobody listened meanwhile, so what passed is no loss.
            self._sensor.resume()
        self._stepped_us = self._clock.now_us()
        newest = self._newest
        if newest is None or self._clock.now_us() - newest.time_us > 3 * period_us:
            self._newest = self._before = None
            end_us = self._clock.now_us() + (SELF_TEST_PAGES + 2) * period_us + CLOCK_US
            pages = 0
            while pages < SELF_TEST_PAGES and self._clock.now_us() < end_us:
                pages += self._capture(end_us)
        results = check_sensor(self._sensor, self._newest, self.warning)
        if self._thermistors is not None:
            names = [channel.name for channel in self.profile.thermistors.channels]
            results += check_thermistors(names, self._thermistors.scan())
        if self._classifier is not None:
            results.append(check_model(self._classifier, self.profile, self._picture()))
        return results

    def _picture(self) -> Celsius | None:
        """The picture of the two newest subpages, corrected; None where they make none."""
        if self._before is None or self._newest is None or self._calibration is None:
            return None
        camera, correction = self.profile.picture_sensor, self._usable_correction()
        assembler = PictureAssembler(Decoder(self._calibration, camera.emissivity, camera.reflected_celsius))
        try:
            assembler.push(self._before)
            picture = assembler.push(self._newest)
        except SensorError:
            return None
        if picture is None:
            return None
        return picture.celsius if correction is None else correction.apply(picture.celsius, picture.ta)

    def _make_thermistors(self) -> ThermistorArray | None:
        settings = self.profile.thermistors
        if not settings.channels:
            return None
        try:
            return ThermistorArray(self._hardware.bus, self._clock, settings, self.counters)
        except ThermistorError as error:
            raise ModelError(f"The profile {self.profile.name} describes impossible thermistors. {error}") from error

    def _capture(self, until_us: int) -> bool:
        subpage = self._sensor.capture(until_us)
        if self._sensor.calibration is not self._calibration:
            self._calibration = self._sensor.calibration
            self._encoder.restart()
            self._make_verdicts()
        if subpage is None:
            return False
        self._before, self._newest = self._newest, subpage
        self._encoder = self._keys.given(self._encoder)
        packed = self._encoder.encode(subpage)
        record = SubpageRecord(subpage.time_us, subpage.sensor, subpage.index, packed, subpage.generation)
        self._backlog.append(record)
        verdicts = self._verdicts
        if verdicts is not None and not self._background.submit(lambda: verdicts.push(subpage)):
            self.counters.add("pictures_skipped")
        return True

    def _scan(self, until_us: int) -> None:
        if self._thermistors is None:
            return
        reading = self._thermistors.advance(until_us)
        if reading is not None:
            self._backlog.append(ThermistorRecord(reading.time_us, _THERMISTORS, reading.channels))

    def _usable_correction(self) -> Correction | None:
        correction, constants = self._correction, self.constants
        if correction is None or constants is None or not self.sensor_id:
            return None
        return correction if correction.fits(self.sensor_id, constants.sighting.fingerprint) else None

    def _make_verdicts(self) -> None:
        """Start verdicts anew with the calibration and correction that hold now."""
        correction = self._usable_correction()
        if self._correction is not None and self.sensor_id and correction is None:
            self.counters.add("correction_mismatch")
        if self._thermistors is not None:
            self._thermistors.set_curves(() if correction is None else correction.thermistors)
        self._verdicts = None
        if self._classifier is not None and self._calibration is not None:
            self._verdicts = VerdictMaker(
                self.profile,
                self._classifier,
                self._calibration,
                correction,
                self._clock,
                self.counters,
                self._hardware.simulated,
                self.model_version if self.model_version is not None else Version(0),
                doubtful=bool(self.warning),
            )

    def _tell_clock(self) -> None:
        now_us = self._clock.now_us()
        if now_us < self._clock_due_us:
            return
        self._clock_due_us = now_us + CLOCK_US
        unix_us = 0 if self._hardware.simulated else time.time_ns() // 1000
        known = unix_us >= _FIRST_CERTAIN_YEAR_US
        self._backlog.append(
            ClockRecord(
                time_us=now_us,
                unix_us=unix_us if known else 0,
                lease_left_ms=0,
                dropped=0,
                captured=self.counters.get("subpages_captured"),
                lost=self.counters.get("subpages_lost"),
            )
        )

    def _tell_faults(self) -> None:
        now_us = self._clock.now_us()
        for name, count in self.counters.snapshot().items():
            fault = FAULTS.get(name)
            told, next_us = self._reported.get(name, (0, now_us))
            if fault is None or count == told or now_us < next_us:
                continue
            self._reported[name] = (count, now_us + EVENT_US)
            text = f"{fault.text} {self.sensor_fault}".rstrip() if name == "sensor_lost" else fault.text
            self._backlog.append(EventRecord(now_us, fault.code, fault.severity, count, text))


def _vouches(correction: Correction | None, constants: Constants) -> bool:
    """Whether temperatures with these constants were held to a reference, as a calibration does."""
    if correction is None or correction.is_identity:
        return False
    return correction.fingerprint == constants.sighting.fingerprint
