"""Every error thermo-edge raises on purpose, as one tree.

Each message is one sentence that says what is wrong, where, and what to do next. A caller that only wants to tell its own
faults from ours catches ``ThermoError``; anything else that escapes is a bug.
"""


class ThermoError(Exception):
    """Base of the tree."""


class UsageError(ThermoError):
    """A value given by the user or the caller is out of range, missing or contradictory."""


class SchemaError(ThermoError):
    """Plain data (TOML, JSON, CBOR) that does not have the form it must have.

    Args:
        message: the sentence.
        path: the field it is about, as ".sensors[0].rate_hz"; "" for the whole.
    """

    def __init__(self, message: str, path: str = "") -> None:
        super().__init__(message)
        self.path = path


class ProfileError(ThermoError):
    """A profile whose parts do not fit together.

    Args:
        message: a clause without remedy; whoever knows the file completes the sentence.
        path: the part it is about, as ".stages[2]".
    """

    def __init__(self, message: str, path: str) -> None:
        super().__init__(message)
        self.path = path


class StorageError(ThermoError):
    """A file cannot be read, written or trusted."""


class DamagedFileError(StorageError):
    """A file of ours whose checksum or structure does not hold."""


class SensorError(ThermoError):
    """The MLX90640 holds or sent something that cannot be right."""


class EepromError(SensorError):
    """An EEPROM word is impossible.

    Args:
        message: the sentence.
        address: I2C address of the word (0x2400-0x273F), or None where the fault is of the whole.
        value: the word as read.
    """

    def __init__(self, message: str, address: int | None = None, value: int | None = None) -> None:
        super().__init__(message)
        self.address = address
        self.value = value


class BadPixelsError(EepromError):
    """More broken or outlier pixels than the datasheet allows, or two of them adjacent."""


class AuxiliaryDataError(SensorError):
    """An auxiliary word of a subpage (0x0700-0x073F) is invalid.

    Args:
        message: the sentence.
        address: I2C address of the word.
        value: the word as read.
    """

    def __init__(self, message: str, address: int, value: int) -> None:
        super().__init__(message)
        self.address = address
        self.value = value


class ThermistorError(SensorError):
    """Thermistor constants or points from which no temperature can be had."""


class BusError(ThermoError):
    """An I2C transaction failed.

    Args:
        message: the sentence.
        address: 7-bit address of the chip, where one was addressed.
    """

    def __init__(self, message: str, address: int | None = None) -> None:
        super().__init__(message)
        self.address = address


class NackError(BusError):
    """The chip did not acknowledge."""


class BusStuckError(BusError):
    """SDA is held low: nine clocks free it."""


class BusTimeoutError(BusError):
    """Something that had to happen on the bus did not happen in time."""


class ShortReadError(BusError):
    """Fewer bytes came than were asked for."""


class WireError(ThermoError):
    """Bytes on the serial line that cannot be what they claim to be."""


class FramingError(WireError):
    """COBS or CRC does not hold."""


class RecordError(WireError):
    """A telemetry record whose body does not parse."""


class CountsError(WireError):
    """Packed counts that cannot be unpacked."""


class MissingKeyFrameError(CountsError):
    """Packed counts that refer to a key frame this reader never received."""


class ManagementError(WireError):
    """An SMP message that does not parse or lacks a field."""


class ImageError(ThermoError):
    """A signed image that must not be used."""


class ImageFormatError(ImageError):
    """Not an MCUboot image, or one cut short."""


class SignatureError(ImageError):
    """Unsigned, or signed with a key this device does not trust, or altered after signing."""


class DowngradeError(ImageError):
    """Older than the image that runs."""


class ImageTooLargeError(ImageError):
    """Larger than a slot."""


class SlotStateError(ImageError):
    """The slots do not allow it now, as while the running image is on trial."""


class NoSuchImageError(SlotStateError):
    """No slot holds the image that was named."""


class UploadError(ImageError):
    """An upload whose offset, length or hash contradicts itself."""


class BundleError(ImageError):
    """The content of an image is not a model bundle."""


class ModelError(ThermoError):
    """A model that cannot be loaded or does not fit its contract."""


class StageError(ThermoError):
    """A stage whose parameters or inputs do not fit together.

    Args:
        message: a clause without remedy; whoever knows the file completes the sentence.
        stage: name of the signal it was to give.
    """

    def __init__(self, message: str, stage: str) -> None:
        super().__init__(message)
        self.stage = stage


class UnsupportedOperatorError(ModelError):
    """A model with an operator that no engine of a wearable has.

    Args:
        message: the sentence.
        operator: its name in the schema.
        tensor: name of what it computes, "" where it computes nothing.
    """

    def __init__(self, message: str, operator: str, tensor: str) -> None:
        super().__init__(message)
        self.operator = operator
        self.tensor = tensor


class AccuracyDropError(ModelError):
    """A quantised model that lost more accuracy than it may."""


class CorrectionError(ThermoError):
    """Per-pixel calibration data that is damaged, or belongs to another sensor."""


class CalibrationFailedError(ThermoError):
    """The calibration procedure cannot give a result that is worth writing."""


class LinkError(ThermoError):
    """The host cannot talk to a wearable."""


class PortNotFoundError(LinkError):
    """No such port, or none at all."""


class AmbiguousPortError(LinkError):
    """More than one wearable is there and none was named."""


class PortBusyError(LinkError):
    """Another program holds the port."""


class LinkTimeoutError(LinkError):
    """The wearable did not answer in time."""


class LinkLostError(LinkError):
    """The port vanished while it was in use."""


class ProtocolVersionError(LinkError):
    """Device and host speak different versions of the wire format."""


class RefusedError(LinkError):
    """The wearable understood the request and refused it.

    Args:
        message: the sentence.
        reason: what the wearable said.
        code: SMP return code.
        group: SMP group of the code.
    """

    def __init__(self, message: str, reason: str = "", code: int = 0, group: int = 0) -> None:
        super().__init__(message)
        self.reason = reason
        self.code = code
        self.group = group


class RecordingError(StorageError):
    """A recording that is not one of ours or holds nothing that can be read."""
