"""What a wearable says of itself, checked and cleaned where it comes in, so that nothing behind has to."""

import dataclasses
from collections.abc import Mapping
from typing import Any, TypeVar, cast

import msgspec

from thermo_core.errors import ManagementError
from thermo_core.text import clean
from thermo_core.wire.management import Hello, SensorState
from thermo_core.wire.records import EventRecord, Record

_T = TypeVar("_T")

LONGEST_UPTIME_US = 1 << 53
"""285 years; up to there a float64 counts microseconds."""
FASTEST_HZ = 1e4


def cleaned(value: _T) -> _T:
    """The same with every text in it, and in the records, maps and tuples it holds, made printable (`thermo_core.text`)."""
    return cast(_T, _cleaned(value))


def cleaned_record(record: Record) -> Record:
    """The same with its text made printable; only events have one."""
    return cleaned(record) if isinstance(record, EventRecord) else record


def checked_hello(hello: Hello, port: str) -> Hello:
    """A hello whose texts are printable and whose numbers are possible.

    Raises:
        ManagementError: a number is not; the sentence names it.
    """
    checked_time(hello.time_us, port)
    for number, sensor in enumerate(hello.sensors):
        _check_sensor(number, sensor, port)
    return cleaned(hello)


def checked_time(time_us: int, port: str) -> int:
    """A device's clock.

    Raises:
        ManagementError: no device runs that long.
    """
    if time_us > LONGEST_UPTIME_US:
        raise _impossible(port, "its clock", f"{time_us} microseconds since its start")
    return time_us


def _check_sensor(number: int, sensor: SensorState, port: str) -> None:
    if not 0 <= sensor.rate_hz <= FASTEST_HZ:
        raise _impossible(port, f"rate_hz of its sensor {number}", f"{sensor.rate_hz:g}")


def _impossible(port: str, what: str, value: str) -> ManagementError:
    return ManagementError(
        f"The wearable on {port} says that {what} is {value}, which cannot be; reset it, and update its software if it "
        "stays so."
    )


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, tuple):
        return tuple(_cleaned(item) for item in value)
    if isinstance(value, Mapping):
        return {_cleaned(key): _cleaned(item) for key, item in value.items()}
    if isinstance(value, msgspec.Struct):
        fields = {name: _cleaned(getattr(value, name)) for name in value.__struct_fields__}
        return msgspec.structs.replace(value, **fields)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value) if field.init}
        return dataclasses.replace(value, **{name: _cleaned(item) for name, item in fields.items()})
    return value
