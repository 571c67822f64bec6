"""What one set-point of a calibration measured: the averaged reading, its noise, and the reference beside it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from thermo_core.errors import CalibrationFailedError, StorageError
from thermo_host.calibrate.procedures import Reading

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Role = Literal["fit", "hold-out"]

BATCHES = 8
"""Batches an average is cut into to see whether its noise is white."""


@dataclass(frozen=True, slots=True)
class Observation:
    """A set-point as measured.

    Attributes:
        role: "fit" or "hold-out"; a hold-out is never seen by a fit.
        nominal: temperature asked for, degC.
        reference: temperature an ideal sensor with the wearable's own decoding settings would show, degC.
        reading: what the reference instrument said, degC; equals `reference` where the emissivities are equal.
        ta: mean die temperature, degC.
        celsius: float64 of the lead sensor's shape, (24, 32) for a camera: mean of its decoded, uncorrected readings, degC.
        noise: of the same shape, standard deviation over time of one reading, K.
        spread: of the same shape, largest minus smallest value seen, K; 0 for a pixel that never moves.
        valid: of the same shape, False where the sensor's EEPROM calls the pixel broken or outlier.
        pictures: how many readings were averaged.
        colour: variance of the average over what white noise would leave, at least 1.
        seconds: from the first to the last of them.
        start_us: device clock at the first.
        slope: drift of the reading's median, K/min, and `slope_u`, its expanded uncertainty (k = 2).
        beside: mean raw vectors of other sensors (`Procedure.raw`) by their numbers; NaN where a number had no value.
        run: which run it belongs to; merged runs differ.
    """

    role: Role
    nominal: float
    reference: float
    reading: float
    ta: float
    celsius: Floats
    noise: Floats
    spread: Floats
    valid: Flags
    pictures: int
    colour: float
    seconds: float
    start_us: int
    slope: float
    slope_u: float
    beside: Mapping[int, tuple[float, ...]] = field(default_factory=dict)
    run: int = 0

    @property
    def variance_of_mean(self) -> Floats:
        """Variance of `celsius`, K^2."""
        return self.noise**2 * self.colour / self.pictures

    @property
    def noise_of_mean(self) -> float:
        """RMS over the pixels of the averaging noise left in `celsius`, K."""
        return float(np.sqrt(self.variance_of_mean.mean()))

    def to_map(self) -> dict[str, object]:
        """As JSON-ready values; `from_map` gives it back to within 0.1 mK."""
        return {
            "role": self.role,
            "nominal_c": self.nominal,
            "reference_c": self.reference,
            "reading_c": self.reading,
            "ta_c": round(self.ta, 4),
            "pictures": self.pictures,
            "colour": round(self.colour, 4),
            "seconds": round(self.seconds, 3),
            "start_us": self.start_us,
            "slope_k_per_min": round(self.slope, 5),
            "slope_u_k_per_min": round(self.slope_u, 5),
            "beside": {
                str(sensor): [None if np.isnan(value) else round(value, 5) for value in raw]
                for sensor, raw in self.beside.items()
            },
            "celsius": np.round(self.celsius, 4).tolist(),
            "noise_k": np.round(self.noise, 4).tolist(),
            "spread_k": np.round(self.spread, 4).tolist(),
            "invalid": np.argwhere(~self.valid).tolist(),
        }

    @classmethod
    def from_map(cls, data: object, run: int = 0) -> "Observation":
        """Raises StorageError where `data` is no observation."""
        if not isinstance(data, dict):
            raise StorageError("An observation of the calibration report is not a JSON object; was the file edited?")
        try:
            role = data["role"]
            if role not in ("fit", "hold-out"):
                raise ValueError(f"role {role!r}")
            celsius = _map(data["celsius"])
            valid = np.ones(celsius.shape, np.bool_)
            for place in data["invalid"]:
                valid[tuple(place)] = False
            observation = cls(
                role=role,
                nominal=float(data["nominal_c"]),
                reference=float(data["reference_c"]),
                reading=float(data["reading_c"]),
                ta=float(data["ta_c"]),
                celsius=celsius,
                noise=_map(data["noise_k"], celsius.shape),
                spread=_map(data["spread_k"], celsius.shape),
                valid=valid,
                pictures=int(data["pictures"]),
                colour=float(data["colour"]),
                seconds=float(data["seconds"]),
                start_us=int(data["start_us"]),
                slope=float(data["slope_k_per_min"]),
                slope_u=float(data["slope_u_k_per_min"]),
                beside={
                    int(sensor): tuple(float("nan") if value is None else float(value) for value in raw)
                    for sensor, raw in data["beside"].items()
                },
                run=run,
            )
        except (KeyError, TypeError, ValueError, IndexError, OverflowError, AttributeError) as error:
            raise StorageError(
                f"An observation of the calibration report cannot be read ({type(error).__name__}: {error}); "
                "use a report.json as thermo-host wrote it."
            ) from error
        numbers = (observation.nominal, observation.reference, observation.reading, observation.ta, observation.seconds)
        if observation.pictures < 1 or observation.colour < 1 or not np.isfinite(numbers).all():
            raise StorageError(
                "An observation of the calibration report has no pictures or impossible numbers; use a report.json as "
                "thermo-host wrote it."
            )
        return observation


def average(
    pictures: Sequence[Reading],
    role: Role,
    nominal: float,
    reading: float,
    reference: float | None = None,
    slope: float = 0.0,
    slope_u: float = 0.0,
    beside: Mapping[int, tuple[float, ...]] | None = None,
    run: int = 0,
) -> Observation:
    """Average the uncorrected readings of one set-point.

    Noise that is not white leaves more in an average than its standard deviation over sqrt(n) says. Batch means tell:
    the variance among them, times their length, over the plain variance is 1 for white noise; Observation.colour keeps
    its mean over the pixels.

    Raises CalibrationFailedError with fewer than 16 readings.
    """
    if len(pictures) < 2 * BATCHES:
        raise CalibrationFailedError(
            f"{len(pictures)} readings at {nominal:g} degC are too few to tell noise from signal; "
            f"ask for at least {2 * BATCHES} with --pictures."
        )
    stack = np.stack([picture.celsius for picture in pictures]).astype(np.float64)
    length = len(stack) // BATCHES
    variance = stack.var(axis=0, ddof=1)
    batches = stack[: length * BATCHES].reshape(BATCHES, length, *stack.shape[1:]).mean(axis=1)
    white = float(np.median(variance))
    colour = float(np.median(batches.var(axis=0, ddof=1))) * length / white if white > 0 else 1.0
    # the median of a chi-squared mean square with 7 degrees of freedom is 0.907 of its expectation
    colour /= 0.907
    return Observation(
        role=role,
        nominal=nominal,
        reference=reading if reference is None else reference,
        reading=reading,
        ta=float(np.mean([picture.ta for picture in pictures])),
        celsius=stack.mean(axis=0),
        noise=np.sqrt(variance),
        spread=np.ptp(stack, axis=0),
        valid=np.logical_and.reduce([picture.valid for picture in pictures]),
        pictures=len(pictures),
        colour=max(1.0, colour),
        seconds=(pictures[-1].time_us - pictures[0].time_us) * 1e-6,
        start_us=pictures[0].time_us,
        slope=slope,
        slope_u=slope_u,
        beside={} if beside is None else dict(beside),
        run=run,
    )


def _map(rows: object, shape: tuple[int, ...] | None = None) -> Floats:
    values = np.asarray(rows, np.float64)
    if not 1 <= values.ndim <= 2 or not values.size or values.shape != (shape or values.shape):
        raise ValueError(f"a map of shape {values.shape} where {shape or 'numbers'} belong")
    if not np.isfinite(values).all():
        raise ValueError("a map with numbers that cannot be")
    return values
