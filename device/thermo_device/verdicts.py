"""From subpages to verdicts: decode, correct, features, network, alert rule."""

from functools import partial

from thermo_core.correction import Correction
from thermo_core.features import FeatureExtractor
from thermo_core.profile import Profile

from thermo_core.clock import Clock
from thermo_core.errors import AuxiliaryDataError, ModelError, RecordError, SensorError
from thermo_core.image import Version
from thermo_core.sensors.mlx90640.assemble import PictureAssembler
from thermo_core.sensors.mlx90640.constants import Constants
from thermo_core.sensors.mlx90640.decode import Decoder
from thermo_core.sensors.mlx90640.fitness import unfit
from thermo_core.sensors.mlx90640.frames import Celsius, Picture, Subpage
from thermo_core.wire import records
from thermo_core.wire.records import VerdictRecord
from thermo_device.counters import Counters
from thermo_device.inference import Classification, Classifier

LONGEST_GAP = 8
"""Subpages between two pictures after which the running mean and the count of alerts start anew."""


MOST_BEYOND = 0.5
"""Share of a picture's features at the ends of what the network's input holds, above which its verdict means nothing."""


def rehearse(profile: Profile, classifier: Classifier, celsius: Celsius) -> str:
    """Make one verdict, from a picture that fills the whole running mean to the bytes of its record, and throw it away.

    Args:
        profile: the wearable.
        classifier: its network.
        celsius: (24, 32) degC.

    Returns:
        What the verdict said, "'lesion', 0.83".

    Raises:
        ModelError: none comes of it, or most features lie beyond what the network's input holds.
    """
    extractor = FeatureExtractor(profile.preprocessing)
    features = None
    while features is None:
        features = extractor.push(celsius)
    result, beyond = classifier.rehearse(features)
    scores = tuple(float(score) for score in result.scores)
    verdict = VerdictRecord(
        time_us=0,
        index=0,
        pictures=extractor.pictures,
        alert=False,
        uncalibrated=False,
        fast_kernels=False,
        simulated=False,
        label=result.label,
        scores=scores,
        latency_us=0,
        inference_us=result.inference_us,
        model_version=(0, 0, 0, 0),
    )
    try:
        records.encode(verdict, 0)
    except RecordError as error:
        raise ModelError(f"The model's verdicts cannot be sent. {error}") from error
    if beyond > MOST_BEYOND:
        raise ModelError(
            f"{100 * beyond:.0f} % of a picture's features lie at the ends of what the model's input holds; sign it with the profile "
            "it was trained for."
        )
    return f"{profile.labels[result.label]!r}, {scores[result.label]:.2f}"


class AlertRule:
    """Whether enough verdicts in a row reached the profile's threshold.

    Args:
        profile: its `alert`; none never raises one.
    """

    def __init__(self, profile: Profile) -> None:
        self._alert = profile.alert
        self._in_a_row = 0

    def push(self, classification: Classification) -> bool:
        """Take one verdict; whether the alert is raised now."""
        if self._alert is None:
            return False
        reached = float(classification.scores[self._alert.label]) >= self._alert.threshold
        self._in_a_row = self._in_a_row + 1 if reached else 0
        return self._in_a_row >= self._alert.consecutive

    def reset(self) -> None:
        """Start counting anew."""
        self._in_a_row = 0


class VerdictMaker:
    """Turns the subpages of one sensor into verdicts; never raises, and counts what it has to leave out.

    Args:
        profile: the wearable.
        classifier: its network.
        calibration: constants of the sensor.
        correction: per-pixel calibration of this sensor, or None.
        clock: device's clock, for the latency.
        counters: where pages left out are counted.
        simulated: whether verdicts are of simulated data.
        model_version: of the bundle.
        doubtful: whether the sensor's constants are in doubt.
    """

    def __init__(
        self,
        profile: Profile,
        classifier: Classifier,
        calibration: Constants,
        correction: Correction | None,
        clock: Clock,
        counters: Counters,
        simulated: bool,
        model_version: Version,
        doubtful: bool = False,
    ) -> None:
        camera = profile.picture_sensor
        self._assembler = PictureAssembler(Decoder(calibration, camera.emissivity, camera.reflected_celsius))
        self._features = FeatureExtractor(profile.preprocessing)
        self._rule = AlertRule(profile)
        self._classifier = classifier
        self._correction = correction
        self._clock = clock
        self._counters = counters
        self._index: int | None = None
        version = model_version
        self._verdict = partial(
            VerdictRecord,
            uncalibrated=correction is None or correction.is_identity,
            fast_kernels=classifier.fast,
            simulated=simulated,
            doubtful=doubtful,
            model_version=(version.major, version.minor, version.revision, version.build),
        )

    def push(self, subpage: Subpage) -> VerdictRecord | None:
        """Take one subpage; the verdict of the picture it completes, if there is one."""
        try:
            picture = self._assembler.push(subpage)
            return None if picture is None else self._judge(picture)
        except AuxiliaryDataError:
            self._counters.add("auxiliary_invalid")
        except SensorError:
            self._counters.add("undecodable")
        except ModelError:
            self._counters.add("model_failed")
        return None

    def _judge(self, picture: Picture) -> VerdictRecord | None:
        valid = picture.valid if self._correction is None else picture.valid & ~self._correction.bad
        reason = unfit(valid, picture.ta)
        if reason is not None:
            self._counters.add(reason.value)
            return None
        if self._index is not None and picture.index - self._index > LONGEST_GAP:
            self._features.reset()
            self._rule.reset()
        self._index = picture.index
        celsius = picture.celsius if self._correction is None else self._correction.apply(picture.celsius, picture.ta)
        features = self._features.push(celsius)
        if features is None:
            return None
        result = self._classifier.classify(features)
        now_us = self._clock.now_us()
        return self._verdict(
            time_us=now_us,
            index=picture.index,
            pictures=self._features.pictures,
            alert=self._rule.push(result),
            label=result.label,
            scores=tuple(float(score) for score in result.scores),
            latency_us=max(0, now_us - picture.time_us),
            inference_us=result.inference_us,
        )
