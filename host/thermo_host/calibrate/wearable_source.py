"""A wearable on a port as the source of a calibration: its stream, decoded with its own settings and not corrected."""

import contextlib
import time
from types import TracebackType

import numpy as np

from thermo_core.errors import LinkTimeoutError, SensorError
from thermo_core.sensors.mlx90640.frames import Picture
from thermo_core.sensors.mlx90640.identity import fingerprint
from thermo_core.wire.management import Hello, SensorInfo
from thermo_core.wire.records import SubpageRecord, ThermistorRecord
from thermo_host.calibrate.source import Subject
from thermo_host.link.lease import TelemetryStream
from thermo_host.link.session import PICTURE_SENSOR
from thermo_host.link.wearable import Wearable
from thermo_host.pictures import PictureReader

PICTURE_PATIENCE = 40
"""Picture times without a picture after which the sensor counts as silent; at least SILENCE_S."""
SILENCE_S = 10.0
CHANNEL_OK = 0
SCAN_US = 200_000
"""A scan that ended so long after `restart` began after it."""


class WearableSource:
    """Use it in a `with` block, which leaves the device quiet.

    Args:
        wearable: an open session.
        sensor: number of the picture sensor to calibrate.

    Raises:
        SensorError: the wearable has no such picture sensor.
        EepromError: its EEPROM is corrupt.
    """

    def __init__(self, wearable: Wearable, sensor: int = 0) -> None:
        self._wearable = wearable
        hello = wearable.hello()
        info = _picture_sensor(hello, sensor)
        profile = wearable.profile()
        emissivity = profile.picture_sensor.emissivity if info.emissivity is None else info.emissivity
        self._sensor = sensor
        self._subpage_us = round(1e6 / info.rate_hz)
        self._eeprom, self._generation = wearable.constants(sensor)
        self._reader = PictureReader(self._eeprom, None, emissivity, info.reflected, self._generation)
        self.subject = Subject(
            sensor_id=self._reader.calibration.device_id,
            name=hello.name,
            serial=hello.serial,
            software=hello.software,
            profile=hello.profile,
            simulated=hello.simulated,
            pictures_per_second=info.rate_hz / 2,
            emissivity=emissivity,
            reflected=info.reflected,
            thermistors=profile.thermistors.channels,
            fingerprint=fingerprint(self._eeprom),
        )
        self._context = contextlib.ExitStack()
        self._stream: TelemetryStream | None = None
        self._from_us = 0
        self._scans: list[tuple[float, ...]] = []

    def __enter__(self) -> "WearableSource":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.pause()

    def restart(self) -> None:
        """Stream, and take nothing that was begun before now on the device's clock.

        Raises:
            SensorError: it is another sensor than at the start.
        """
        if self._stream is None:
            optics = self.subject.emissivity, self.subject.reflected
            self._reader = PictureReader(self._eeprom, None, *optics, self._generation)
            self._stream = self._context.enter_context(self._wearable.stream())
        hello = self._wearable.hello()
        info = _picture_sensor(hello, self._sensor)
        if (hello.serial, info.generation, info.fingerprint) != (
            self.subject.serial,
            self._generation,
            self.subject.fingerprint,
        ):
            raise self._exchanged()
        self._from_us = hello.time_us
        self._scans.clear()

    def pause(self) -> None:
        """Stop the stream; a stream nobody reads only fills buffers."""
        self._stream = None
        self._context.close()

    def next_picture(self) -> Picture:
        """The next picture, both of whose subpages began after `restart`.

        Raises:
            LinkLostError: the port vanished.
            LinkTimeoutError: telemetry comes, or none, but no picture.
            SensorError: another sensor was put in.
        """
        if self._stream is None:
            self.restart()
        stream = self._stream
        assert stream is not None
        limit_s = max(SILENCE_S, PICTURE_PATIENCE * 2e-6 * self._subpage_us)
        until = time.monotonic() + limit_s
        while (left := until - time.monotonic()) > 0:
            received = stream.get(left)
            if received is None:
                break
            record = received.record
            if isinstance(record, ThermistorRecord) and record.time_us - SCAN_US >= self._from_us:
                self._scans.append(
                    tuple(
                        float(channel.counts) if channel.state == CHANNEL_OK else float("nan")
                        for channel in record.channels
                    )
                )
            if isinstance(record, SubpageRecord) and record.sensor == self._sensor:
                if record.generation != self._generation:
                    raise self._exchanged()
                picture = self._reader.push(record)
                # two subpages make a picture; the older one ended one period before and began two before
                if picture is not None and picture.time_us - 2.2 * self._subpage_us >= self._from_us:
                    return picture
        raise LinkTimeoutError(
            f"No picture came from {self._wearable.port} within {limit_s:g} s; "
            f"run `thermo-host info {self._wearable.port}` to see what the sensor says, then calibrate again."
        )

    def _exchanged(self) -> SensorError:
        return SensorError(
            f"Another sensor, or another EEPROM, was found on {self._wearable.port} during the calibration, which would be of "
            "neither; check that the sensor sits firmly and calibrate again."
        )

    def thermistor_counts(self) -> tuple[float, ...]:
        """Mean counts of each channel since `restart`."""
        if not self._scans or len({len(scan) for scan in self._scans}) != 1:
            return ()
        return tuple(float(value) for value in np.mean(self._scans, axis=0))


def _picture_sensor(hello: Hello, number: int) -> SensorInfo:
    for info in hello.sensors:
        if info.kind == PICTURE_SENSOR and info.sensor == number:
            return info
    raise SensorError(f"The wearable {hello.name} has no picture sensor {number}; check its wiring with a self-test.")
