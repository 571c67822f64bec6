"""The one way from plain maps (TOML, JSON, CBOR) to typed values and back, driven by the types themselves.

Types are frozen `msgspec.Struct`s; limits stand in their annotations, so that a reader, the published JSON schema and the C
headers say the same. What does not fit is refused with the full name of the field: "profile.sensors[0].rate_hz".
"""

import io
import math
import re
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin

import cbor2
import msgspec
import numpy as np
from msgspec import Meta, Struct
from numpy.typing import NDArray

from thermo_core.errors import SchemaError
from thermo_core.typed import convert

Value = TypeVar("Value")

MAX_TEXT = 200
MAX_DEPTH = 12
MAX_FLOATS = 65_536

Text = Annotated[
    str, Meta(min_length=1, max_length=MAX_TEXT, pattern=r"^[^\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]*$")
]
"""Text that may reach a terminal: no control characters."""
Name = Annotated[str, Meta(min_length=1, max_length=48, pattern=r"^[a-z][a-z0-9_-]*$")]
"""What one part of a wearable calls another."""

_WORDS = {
    "int": "a whole number",
    "float": "a number",
    "str": "a text",
    "bool": "true or false",
    "bytes": "a byte string",
    "array": "a list",
    "object": "a map",
    "null": "nothing",
}
_MISSING = re.compile(r"Object missing required field `(.+)`")
_UNKNOWN = re.compile(r"Object contains unknown field `(.*)`$", re.DOTALL)
_PATH = re.compile(r" - at `(?:key in )?\$?(?P<path>[^`]*)`$")


class Record(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=False):
    """Base of everything that is read and written by its types; unknown fields are refused."""


class Floats:
    """Numbers that float32 holds, as constants of a stage: a list in TOML and JSON, a byte string in CBOR.

    Args:
        values: rounded to float32.

    Raises:
        SchemaError: a number is not finite or beyond float32, or there are none or too many.
    """

    __slots__ = ("_array",)

    def __init__(self, values: Sequence[float] | NDArray[Any]) -> None:
        with np.errstate(over="ignore"):
            array = np.asarray(values, dtype=np.float64).ravel().astype(np.float32)
        if not 1 <= array.size <= MAX_FLOATS or not np.isfinite(array).all():
            raise SchemaError(f"Constants are 1 to {MAX_FLOATS} finite numbers within float32; correct them.")
        array.flags.writeable = False
        self._array = array

    @property
    def array(self) -> NDArray[np.float32]:
        """(n,) float32, not writable."""
        return self._array

    def __len__(self) -> int:
        return len(self._array)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Floats) and self._array.tobytes() == other._array.tobytes()

    def __hash__(self) -> int:
        return hash(self._array.tobytes())

    def __repr__(self) -> str:
        return f"Floats({self._array.tolist()})" if len(self) <= 4 else f"Floats(<{len(self)} numbers>)"


def from_plain(data: object, kind: type[Value], where: str, remedy: str = "correct it") -> Value:
    """A typed value of what TOML, JSON or CBOR gave.

    Args:
        data: maps, lists, texts, numbers, byte strings.
        kind: a `Record`, or anything msgspec converts to.
        where: name of the whole in errors.
        remedy: what to do about an error, in words.

    Raises:
        SchemaError: a field is missing, unknown, of another type or out of range; `path` says which.
    """
    problem = _unusable(data, MAX_DEPTH)
    if problem:
        raise SchemaError(f"{where} {problem}; {remedy}.")
    try:
        return convert(data, kind, dec_hook=_decode_special, builtin_types=(bytes,))
    except msgspec.ValidationError as error:
        text, path = _split(str(error))
        if unknown := _UNKNOWN.match(text):
            path = f"{path}.{unknown[1][:MAX_TEXT]}"
        name = f"{where}{path}".removeprefix(".")
        raise SchemaError(f"{name or 'it'}: {_worded(text, data, path, kind)}; {remedy}.", path) from None


def to_plain(value: object) -> Any:
    """The inverse of `from_plain` for CBOR: maps, lists, byte strings for `Floats`."""
    return msgspec.to_builtins(value, enc_hook=_encode_bytes, builtin_types=(bytes,))


def to_readable(value: object) -> Any:
    """As `to_plain`, but for JSON and TOML: `Floats` as lists."""
    return msgspec.to_builtins(value, enc_hook=_encode_list)


def to_cbor(value: object) -> bytes:
    """Canonical CBOR (RFC 8949 section 4.2.3, length-first): equal values have equal bytes.

    Raises:
        SchemaError: a text holds what Unicode does not allow.
    """
    try:
        return cbor2.dumps(to_plain(value), canonical=True)
    except (cbor2.CBOREncodeError, UnicodeEncodeError) as error:
        raise SchemaError("A text is not valid Unicode; save its file as UTF-8.") from error


def from_cbor(data: bytes, kind: type[Value], where: str, remedy: str = "correct it", canonical: bool = False) -> Value:
    """Inverse of `to_cbor`.

    Args:
        data: one CBOR item and nothing behind it.
        kind: as `from_plain`.
        where: as `from_plain`.
        remedy: as `from_plain`.
        canonical: refuse other bytes than `to_cbor` makes of the value.

    Raises:
        SchemaError: no CBOR, or as `from_plain`.
    """
    value = from_plain(decode_cbor(data, where, remedy), kind, where, remedy)
    if canonical and to_cbor(value) != data:
        raise SchemaError(f"{where} is not in canonical form; {remedy}.")
    return value


def decode_cbor(data: bytes, where: str, remedy: str) -> object:
    """Plain data of one CBOR item.

    Raises:
        SchemaError: no CBOR, or something follows it.
    """
    stream = io.BytesIO(data)
    try:
        value: object = cbor2.load(
            stream, max_depth=MAX_DEPTH, allow_indefinite=False, allow_duplicate_keys=False, strict_hashable_types=True
        )
    except (cbor2.CBORError, ValueError, TypeError, OverflowError, RecursionError, MemoryError) as error:
        raise SchemaError(f"{where} is no CBOR ({_first_line(error)}); {remedy}.") from error
    if stream.tell() != len(data):
        raise SchemaError(f"{where} has {len(data) - stream.tell()} bytes behind its end; {remedy}.")
    return value


def json_schema(kind: Any, title: str) -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of what `from_plain` takes for `kind`."""
    schema = msgspec.json.schema(kind, schema_hook=special_schema)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": title, **schema}


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:120]


def _unusable(data: object, depth: int) -> str:
    """Why data cannot be converted at all; "" where they can."""
    if depth < 0:
        return f"is nested more than {MAX_DEPTH} deep"
    if isinstance(data, dict):
        if not all(isinstance(key, str) for key in data):
            return "has a map with keys that are no text"
        return next((why for item in data.values() if (why := _unusable(item, depth - 1))), "")
    if isinstance(data, list | tuple):
        return next((why for item in data if (why := _unusable(item, depth - 1))), "")
    if isinstance(data, float) and not math.isfinite(data):
        return "holds a number that is not finite"
    if data is None or isinstance(data, bool | int | float | str | bytes):
        return ""
    return f"holds a {type(data).__name__}, which has no place there"


def _split(message: str) -> tuple[str, str]:
    found = _PATH.search(message)
    return (message, "") if found is None else (message[: found.start()], found["path"].removeprefix("$"))


def _worded(text: str, data: object, path: str, kind: Any) -> str:
    """msgspec's finding as a clause that reads on from the field's name."""
    if missing := _MISSING.match(text):
        return f"{missing[1]} is missing"
    if _UNKNOWN.match(text):
        return "is not a field there"
    if text.startswith(("Invalid value", "Invalid enum value")):
        return f"{_shown(_at(data, path))} is none of {_choices(kind, data, path)}"
    if "matching regex" in text:
        return f"{_shown(_at(data, path))} must be printable and, for a name, lower-case letters, digits, - and _"
    if text.startswith("Expected "):
        wanted, _, found = text.removeprefix("Expected ").partition(", got ")
        return f"must be {_in_words(wanted)}" + (f", not {_in_words(found)}" if found else "")
    return text[0].lower() + text[1:].replace("`", "")


def _in_words(types: str) -> str:
    for short, word in _WORDS.items():
        types = types.replace(f"`{short}`", word)
    return types.replace("`", "").replace(" | ", " or ")


def _shown(value: object) -> str:
    return ascii(value)[:60]


def _at(data: object, path: str) -> object:
    for key, index in re.findall(r"\.([A-Za-z0-9_]+)|\[(\d+)\]", path):
        try:
            data = data[key] if key else data[int(index)]  # type: ignore[index]
        except (KeyError, IndexError, TypeError):
            return None
    return data


def _choices(kind: Any, data: object, path: str) -> str:
    """What may stand in a field that takes one of some values."""
    parent, _, field = path.rpartition(".")
    around = _at(data, parent)
    found: set[str] = set()
    for struct in _structs(kind, set()):
        config = struct.__struct_config__
        if config.tag_field == field:
            found.add(str(config.tag))
        elif config.tag is None or (isinstance(around, dict) and around.get(config.tag_field) == config.tag):
            for item in msgspec.structs.fields(struct):
                if item.encode_name == field:
                    found.update(_literals(item.type))
    return ", ".join(sorted(found)) or "the possible values"


def _structs(part: Any, seen: set[int]) -> Iterator[Any]:
    """All `Record`s that a type is made of."""
    if id(part) in seen:
        return
    seen.add(id(part))
    if hasattr(part, "__struct_config__"):
        yield part
        for item in msgspec.structs.fields(part):
            yield from _structs(item.type, seen)
    for inner in get_args(part):
        yield from _structs(inner, seen)


def _literals(part: Any) -> Iterator[str]:
    if get_origin(part) is Literal:
        yield from (str(value) for value in get_args(part))
    else:
        for inner in get_args(part):
            yield from _literals(inner)


def _decode_special(kind: type, value: object) -> object:
    if kind is not Floats:
        raise NotImplementedError(kind)
    if isinstance(value, bytes):
        if len(value) % 4:
            raise ValueError("constants are a byte string of whole float32 numbers")
        value = np.frombuffer(value, "<f4").tolist()
    if isinstance(value, list | tuple) and all(isinstance(v, int | float) and not isinstance(v, bool) for v in value):
        try:
            return Floats(value)
        except SchemaError:
            pass
    raise ValueError(f"Expected a list of 1 to {MAX_FLOATS} finite numbers")


def _encode_bytes(value: object) -> object:
    if isinstance(value, Floats):
        return value.array.astype("<f4").tobytes()
    raise NotImplementedError(type(value))


def _encode_list(value: object) -> object:
    if isinstance(value, Floats):
        return value.array.tolist()
    raise NotImplementedError(type(value))


def special_schema(kind: type) -> dict[str, Any]:
    """JSON Schema of a type of ours that msgspec does not know."""
    if kind is Floats:
        return {"type": "array", "items": {"type": "number"}, "minItems": 1, "maxItems": MAX_FLOATS}
    raise NotImplementedError(kind)
