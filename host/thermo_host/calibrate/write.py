"""Writing corrections to a device and reading them back."""

from collections.abc import Callable, Mapping
from typing import Protocol

from thermo_core.errors import CalibrationFailedError, RefusedError
from thermo_core.sensors.correction import Correction, to_bytes


class CorrectionStore(Protocol):
    """What writing needs of a wearable."""

    def write_correction(
        self, sensor: int, correction: Correction, progress: Callable[[int, int], None] | None = None
    ) -> None:
        """Store it; the device keeps the previous one."""
        ...

    def correction_bytes(self, sensor: int, slot: int = 0) -> bytes:
        """What is stored."""
        ...


def write(
    store: CorrectionStore,
    corrections: Mapping[int, Correction],
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Write corrections to the device, read each back and compare every byte.

    The device takes one over when its last part has arrived and its checksum holds; ended before, it keeps the old one.

    Raises:
        RefusedError: the device refuses one, because it belongs to another sensor for example; it says which were written.
        CalibrationFailedError: what reads back differs.
    """
    done: list[int] = []
    for sensor, correction in corrections.items():
        try:
            store.write_correction(sensor, correction, progress)
        except RefusedError as error:
            if done:
                written = ", ".join(map(str, done))
                raise RefusedError(
                    f"{error} Those of sensors {written} were written before and hold.",
                    error.reason,
                    error.code,
                    error.group,
                ) from error
            raise
        if store.correction_bytes(sensor) != to_bytes(correction):
            raise CalibrationFailedError(
                f"The device gives back another correction of sensor {sensor} than was written; run calibrate --rollback and "
                "try again."
            )
        done.append(sensor)
