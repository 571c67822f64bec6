"""A wearable's profile: sensors, rates, preprocessing, labels and alert rule as data; no code knows one by name."""

from dataclasses import dataclass, field

import cbor2

from thermo_core.errors import BundleError
from thermo_core.fields import MAX_TEXT, Fields, is_plain
from thermo_core.limits import MAX_AVERAGE_PICTURES, MAX_CHANNELS, MAX_LABELS
from thermo_core.mlx90640.limits import EMISSIVITY, REFLECTED_CELSIUS

NOTICE = "Informs only. Not a medical device."
"""Stands wherever a verdict is shown."""

REFRESH_RATES_HZ = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0)
_MAX_DEPTH = 8


@dataclass(frozen=True, slots=True)
class PictureSensor:
    """How the thermal camera is wired and set.

    Attributes:
        kind: "mlx90640".
        address: 7-bit I2C address.
        refresh_rate_hz: subpages per second, one of `REFRESH_RATES_HZ`.
        resolution_bits: 16 to 19.
        chess: chess pattern, or interleaved where False.
        emissivity: of the skin, 0.05 to 1.
        reflected_celsius: reflected temperature, -100 to 200 degC; None takes Ta - 8.
    """

    kind: str = "mlx90640"
    address: int = 0x33
    refresh_rate_hz: float = 16.0
    resolution_bits: int = 18
    chess: bool = True
    emissivity: float = 0.98
    reflected_celsius: float | None = None

    def to_dict(self) -> dict[str, object]:
        """Plain map."""
        return {
            "kind": self.kind,
            "address": self.address,
            "refresh_rate_hz": float(self.refresh_rate_hz),
            "resolution_bits": self.resolution_bits,
            "chess": self.chess,
            "emissivity": float(self.emissivity),
            "reflected_celsius": None if self.reflected_celsius is None else float(self.reflected_celsius),
        }

    @classmethod
    def from_fields(cls, fields: Fields) -> "PictureSensor":
        """Inverse of `to_dict`. Raises BundleError naming the bad field; the kind, which decides the others, first."""
        kind = fields.choice("kind", ("mlx90640",))
        rate = fields.number("refresh_rate_hz", 0.5, 64)
        if rate not in REFRESH_RATES_HZ:
            fields.fail("refresh_rate_hz", f"must be one of {', '.join(f'{r:g}' for r in REFRESH_RATES_HZ)}")
        sensor = cls(
            kind=kind,
            address=fields.integer("address", 0x08, 0x77),
            refresh_rate_hz=rate,
            resolution_bits=fields.integer("resolution_bits", 16, 19),
            chess=fields.flag("chess"),
            emissivity=fields.number("emissivity", *EMISSIVITY),
            reflected_celsius=(
                None if fields.absent("reflected_celsius") else fields.number("reflected_celsius", *REFLECTED_CELSIUS)
            ),
        )
        fields.finish()
        return sensor


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """How pictures become features.

    Attributes:
        average_pictures: length of the running mean, 1 to `limits.MAX_AVERAGE_PICTURES`.
        centre: "median" takes away each picture's spatial median, "none" nothing.
        scale: factor in front of the features, 1/K.
    """

    average_pictures: int = 1
    centre: str = "median"
    scale: float = 1.0

    def to_dict(self) -> dict[str, object]:
        """Plain map."""
        return {"average_pictures": self.average_pictures, "centre": self.centre, "scale": float(self.scale)}

    @classmethod
    def from_fields(cls, fields: Fields) -> "Preprocessing":
        """Inverse of `to_dict`. Raises BundleError naming the bad field."""
        preprocessing = cls(
            average_pictures=fields.integer("average_pictures", 1, MAX_AVERAGE_PICTURES),
            centre=fields.choice("centre", ("median", "none")),
            scale=fields.number("scale", 1e-6, 1e6),
        )
        fields.finish()
        return preprocessing


@dataclass(frozen=True, slots=True)
class Alert:
    """When a verdict raises an alert.

    Attributes:
        label: index of the label it is about.
        threshold: least score, above 0 to 1.
        consecutive: how many verdicts in a row must reach it.
    """

    label: int
    threshold: float
    consecutive: int = 1

    def to_dict(self) -> dict[str, object]:
        """Plain map."""
        return {"label": self.label, "threshold": float(self.threshold), "consecutive": self.consecutive}

    @classmethod
    def from_fields(cls, fields: Fields, labels: int) -> "Alert":
        """Inverse of `to_dict`. Raises BundleError naming the bad field."""
        if labels == 0:
            fields.fail("label", "needs labels to refer to")
        alert = cls(
            label=fields.integer("label", 0, labels - 1),
            threshold=fields.number("threshold", 1e-4, 1.0),
            consecutive=fields.integer("consecutive", 1, 1000),
        )
        fields.finish()
        return alert


@dataclass(frozen=True, slots=True)
class ThermistorSettings:
    """One thermistor's divider and curve, as numbers.

    Attributes:
        name: where it sits.
        series_ohm: resistor in series, ohm.
        supply_v: supply of the divider, V.
        ntc_to_ground: NTC between the tap and ground, or between supply and tap where False.
        curve: (a, b, c) of Steinhart-Hart, or (r25 in ohm, beta in K).
        self_heating_k_per_mw: K per mW dissipated.
    """

    name: str
    series_ohm: float = 10_000.0
    supply_v: float = 3.3
    ntc_to_ground: bool = True
    curve: tuple[float, ...] = (10_000.0, 3950.0)
    self_heating_k_per_mw: float = 0.0

    def to_dict(self) -> dict[str, object]:
        """Plain map."""
        names = ("a", "b", "c") if len(self.curve) == 3 else ("r25", "beta")
        return {
            "name": self.name,
            "series_ohm": float(self.series_ohm),
            "supply_v": float(self.supply_v),
            "ntc_to_ground": self.ntc_to_ground,
            "curve": {name: float(value) for name, value in zip(names, self.curve, strict=True)},
            "self_heating_k_per_mw": float(self.self_heating_k_per_mw),
        }

    @classmethod
    def from_fields(cls, fields: Fields) -> "ThermistorSettings":
        """Inverse of `to_dict`. Raises BundleError naming the bad field."""
        curve = fields.map("curve")
        constants: tuple[float, ...]
        if curve.absent("r25"):
            constants = (curve.number("a", -1.0, 1.0), curve.number("b", 1e-9, 1.0), curve.number("c", 0.0, 1.0))
        else:
            constants = (curve.number("r25", 1.0, 1e8), curve.number("beta", 100.0, 20_000.0))
        curve.finish()
        settings = cls(
            name=fields.text("name", 32),
            series_ohm=fields.number("series_ohm", 1.0, 1e8),
            supply_v=fields.number("supply_v", 0.1, 24.0),
            ntc_to_ground=fields.flag("ntc_to_ground"),
            curve=constants,
            self_heating_k_per_mw=fields.number("self_heating_k_per_mw", 0.0, 100.0),
        )
        fields.finish()
        return settings


@dataclass(frozen=True, slots=True)
class Thermistors:
    """The thermistor array behind one ADS1115.

    Attributes:
        address: 7-bit I2C address of the ADC.
        rate_hz: scans per second.
        channels: up to four, in the order of the ADC's inputs; none means no array.
    """

    address: int = 0x48
    rate_hz: float = 2.0
    channels: tuple[ThermistorSettings, ...] = field(
        default_factory=lambda: tuple(ThermistorSettings(f"thermistor {n}") for n in range(1, 5))
    )

    def to_dict(self) -> dict[str, object]:
        """Plain map."""
        return {
            "address": self.address,
            "rate_hz": float(self.rate_hz),
            "channels": [channel.to_dict() for channel in self.channels],
        }

    @classmethod
    def from_fields(cls, fields: Fields) -> "Thermistors":
        """Inverse of `to_dict`. Raises BundleError naming the bad field."""
        channels = fields.items("channels", MAX_CHANNELS)
        thermistors = cls(
            address=fields.integer("address", 0x08, 0x77),
            rate_hz=fields.number("rate_hz", 0.01, 100.0),
            channels=tuple(
                ThermistorSettings.from_fields(Fields(channel, f"profile.thermistors.channels[{n}]"))
                for n, channel in enumerate(channels)
            ),
        )
        fields.finish()
        return thermistors


@dataclass(frozen=True, slots=True)
class Profile:
    """A wearable.

    Attributes:
        name: lower-case name, the same as that of its simulated scene.
        version: version of this profile, in words of its author.
        picture_sensor: thermal camera.
        thermistors: thermistor array.
        preprocessing: pictures to features.
        labels: what the model's outputs mean, in their order; empty without a model. One more than outputs, where these are
            sigmoids, and the first says that none of the others holds (`scores.scores_of`).
        alert: when to raise an alert; None never does.
        notice: what is shown beside each verdict.
    """

    name: str
    version: str
    picture_sensor: PictureSensor = PictureSensor()
    thermistors: Thermistors = field(default_factory=Thermistors)
    preprocessing: Preprocessing = Preprocessing()
    labels: tuple[str, ...] = ()
    alert: Alert | None = None
    notice: str = NOTICE

    @classmethod
    def bare(cls) -> "Profile":
        """What a device without a model runs: pictures and four 10 kohm NTCs, no verdict."""
        return cls(name="bare", version="1.0.0")

    def to_dict(self) -> dict[str, object]:
        """Plain map, as it stands in a bundle or a JSON file."""
        return {
            "name": self.name,
            "version": self.version,
            "picture_sensor": self.picture_sensor.to_dict(),
            "thermistors": self.thermistors.to_dict(),
            "preprocessing": self.preprocessing.to_dict(),
            "labels": list(self.labels),
            "alert": None if self.alert is None else self.alert.to_dict(),
            "notice": self.notice,
        }

    @classmethod
    def from_dict(cls, data: object) -> "Profile":
        """Inverse of `to_dict`; takes what JSON or CBOR gave.

        Raises:
            BundleError: a field is missing, unknown or out of range; the sentence names it.
        """
        fields = Fields(data, "profile")
        labels = tuple(fields.items("labels", MAX_LABELS))
        texts = tuple(label for label in labels if is_plain(label))
        if len(texts) != len(labels) or len(set(texts)) != len(texts):
            fields.fail("labels", f"must be different texts of 1 to {MAX_TEXT} printable characters")
        profile = cls(
            name=fields.text("name", 64),
            version=fields.text("version", 64),
            picture_sensor=PictureSensor.from_fields(fields.map("picture_sensor")),
            thermistors=Thermistors.from_fields(fields.map("thermistors")),
            preprocessing=Preprocessing.from_fields(fields.map("preprocessing")),
            labels=texts,
            alert=None if fields.absent("alert") else Alert.from_fields(fields.map("alert"), len(texts)),
            notice=fields.text("notice", MAX_TEXT),
        )
        fields.finish()
        if NOTICE not in profile.notice:
            raise BundleError(
                f'profile.notice must contain "{NOTICE}", so add that sentence and sign the bundle again.'
            )
        return profile


def decode_profile(data: bytes, whose: str) -> Profile:
    """A profile from CBOR, as a device sends it and a recording keeps it.

    Args:
        data: CBOR.
        whose: how an error calls it, as in "The profile on /dev/ttyACM0".

    Raises:
        BundleError: it is not CBOR, or a field is missing, unknown or out of range.
    """
    try:
        decoded = cbor2.loads(data, max_depth=_MAX_DEPTH, semantic_decoders={}, allow_duplicate_keys=False)
    except (cbor2.CBORError, ValueError, TypeError, OverflowError, RecursionError, MemoryError) as error:
        raise BundleError(f"{whose} is not CBOR ({error}); flash the bundle again.") from error
    return Profile.from_dict(decoded)
