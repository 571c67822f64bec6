"""What travels over the WebSocket of live pages, and the events that are made of it."""

import struct

import msgspec
import numpy as np

from thermo_hub.client.errors import HubError
from thermo_hub.client.events import Event, Other, Picture, PictureStream, Said, Session

PATH = "/api/live"
LARGEST = 16 << 20
HEAD = struct.Struct("<BQH")
PICTURE = 1
STEPS = 100
NO_VALUE = -32768
_SAID = msgspec.json.Decoder(Said)
_KINDS = frozenset(str(one.__struct_config__.tag) for one in Said.__args__)


class Hearing:
    """Makes events of messages, and knows which picture is of what."""

    def __init__(self) -> None:
        self._streams: dict[int, tuple[str, PictureStream]] = {}

    def take(self, message: str | bytes) -> Event | None:
        """An event; None for a picture of which nothing was said yet.

        Raises:
            HubError: the message is none of a hub's.
        """
        if isinstance(message, bytes):
            return self._picture(message)
        try:
            plain = msgspec.json.decode(message)
            if plain["type"] not in _KINDS:
                return Other(plain["type"], plain)
            said: Said = _SAID.decode(message)
        except (msgspec.MsgspecError, KeyError, TypeError) as error:
            raise HubError(
                f"The hub says what this client does not know ({error}); use both of the same version."
            ) from error
        if isinstance(said, Session):
            self._streams |= {one.stream: (said.id, one) for one in said.pictures}
        return said

    def _picture(self, message: bytes) -> Picture | None:
        if len(message) < HEAD.size or message[0] != PICTURE:
            raise HubError("The hub sends bytes that are no picture; use client and hub of the same version.")
        _, utc_ns, number = HEAD.unpack_from(message)
        wearable, stream = self._streams.get(number, ("", None))
        if stream is None:
            return None
        if len(message) != HEAD.size + 2 * stream.rows * stream.columns:
            raise HubError(
                "The hub sends a picture of another size than it said; use client and hub of the same version."
            )
        steps = np.frombuffer(message, "<i2", offset=HEAD.size).reshape(stream.rows, stream.columns)
        values = np.where(steps == NO_VALUE, np.nan, steps / STEPS).astype(np.float32)
        return Picture(wearable, stream.signal, stream.unit, utc_ns, values)


def watching(wearables: list[str], every_ms: float) -> str:
    """What says which wearables are looked at."""
    return msgspec.json.encode({"type": "watch", "wearables": wearables, "every_ms": every_ms}).decode()
