"""A wearable on a port as the source of a calibration: its stream, decoded with its own settings and not corrected."""

import contextlib
import time
import warnings
from collections.abc import Mapping
from types import TracebackType

import numpy as np

from thermo_core.errors import LinkTimeoutError, SensorError, WireError
from thermo_core.recording.session import Session
from thermo_core.sensors.kind import Block, Reader, SensorConstants
from thermo_core.sensors.kinds import KINDS
from thermo_host.calibrate.kinds import PROCEDURES
from thermo_host.calibrate.procedures import Constants, Reading, readings
from thermo_host.calibrate.source import Subject, Target
from thermo_host.link.lease import TelemetryStream
from thermo_host.link.wearable import Wearable

READING_PATIENCE = 40
"""Reading times without a reading after which the sensor counts as silent; at least SILENCE_S."""
SILENCE_S = 10.0
PERIODS = 2.2
"""A reading that ended so many periods of its sensor after `restart` began after it: a picture is two subpages."""


def subject_of(session: Session, chosen: list[int]) -> Subject:
    """The wearable with the sensors to be calibrated.

    Args:
        session: what is known of it.
        chosen: their numbers, the lead first.
    """
    hello = session.hello
    targets = []
    for number in chosen:
        state = hello.sensors[number]
        constants = session.constants.get(number, SensorConstants(state.constants, b""))
        targets.append(Target(number, session.profile.sensors[number], state.id, constants))
    return Subject(
        hello.name, hello.serial, hello.software, hello.profile, hello.simulated, targets[0], tuple(targets[1:])
    )


class WearableSource:
    """Use it in a `with` block, which leaves the device quiet.

    Args:
        wearable: an open session.
        subject: what is calibrated of it.

    Raises:
        SensorError: a sensor does not deliver, or its constants are corrupt.
    """

    def __init__(self, wearable: Wearable, subject: Subject) -> None:
        self._wearable = wearable
        self.subject = subject
        for target in subject.targets:
            fault = wearable.hello().sensors[target.number].fault
            if fault:
                raise SensorError(f"{target.settings.name} does not deliver: {fault.rstrip('.')}; mend that first.")
        self._readers = self._made_readers()
        self._context = contextlib.ExitStack()
        self._stream: TelemetryStream | None = None
        self._from_us = 0
        self._raw: dict[int, list[Constants]] = {}
        self._waiting: list[Reading] = []

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
            self._readers = self._made_readers()
            self._stream = self._context.enter_context(self._wearable.stream())
        hello = self._wearable.hello()
        for target in self.subject.targets:
            state = hello.sensors[target.number] if target.number < len(hello.sensors) else None
            same = state is not None and (state.id, state.constants) == (target.id, target.constants.number)
            if hello.serial != self.subject.serial or not same:
                raise self._exchanged()
        self._from_us = hello.time_us
        self._raw.clear()
        self._waiting.clear()

    def pause(self) -> None:
        """Stop the stream; a stream nobody reads only fills buffers."""
        self._stream = None
        self._context.close()

    def next_reading(self) -> Reading:
        """The next reading of the lead, all of which began after `restart`.

        Raises:
            LinkLostError: the port vanished.
            LinkTimeoutError: telemetry comes, or none, but no reading.
            SensorError: another sensor was put in.
        """
        if self._stream is None:
            self.restart()
        stream = self._stream
        assert stream is not None
        limit_s = max(SILENCE_S, READING_PATIENCE / self.subject.readings_per_second)
        until = time.monotonic() + limit_s
        while not self._waiting and (left := until - time.monotonic()) > 0:
            received = stream.get(left)
            if received is None:
                break
            if isinstance(received.record, Block):
                self._push(received.record)
        if self._waiting:
            return self._waiting.pop(0)
        raise LinkTimeoutError(
            f"No reading of {self.subject.lead.settings.name} came from {self._wearable.port} within {limit_s:g} s; "
            f"run `thermo-host info {self._wearable.port}` to see what the sensor says, then calibrate again."
        )

    def beside(self) -> Mapping[int, tuple[float, ...]]:
        """Mean raw vectors since `restart` by sensor."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # a number that never had a value has no mean
            return {number: tuple(np.nanmean(rows, axis=0).tolist()) for number, rows in self._raw.items() if rows}

    def _push(self, block: Block) -> None:
        target = next((one for one in self.subject.targets if one.number == block.sensor), None)
        if target is None:
            return
        if block.constants != target.constants.number & 0xFFFF:
            raise self._exchanged()
        reader = self._readers[target.number]
        try:
            moments = list(reader.push(block))
        except (WireError, SensorError):
            return
        settings = target.settings
        oldest_us = self._from_us + PERIODS * 1e6 / settings.rate_hz  # type: ignore[attr-defined]
        moments = [moment for moment in moments if moment[settings.name].time_us >= oldest_us]
        if not moments:
            return
        procedure = PROCEDURES[settings.kind]
        if not procedure.is_camera:
            self._raw.setdefault(target.number, []).extend(procedure.raw(settings, block, moments))
        if target is self.subject.lead:
            self._waiting += readings(settings, moments, getattr(reader, "measured", None))

    def _made_readers(self) -> dict[int, Reader]:
        return {
            target.number: KINDS[target.settings.kind].reader(target.settings, target.constants.data, None)
            for target in self.subject.targets
        }

    def _exchanged(self) -> SensorError:
        return SensorError(
            f"Another sensor, or other constants, were found on {self._wearable.port} during the calibration, which would be "
            "of neither; check that the sensor sits firmly and calibrate again."
        )
