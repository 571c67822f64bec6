"""The line to a broker: one way to open it, and one sentence where it cannot be."""

import asyncio
import math
import re
import ssl
from collections.abc import Awaitable
from pathlib import Path
from typing import TypeVar

import aiomqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from thermo_core.errors import UsageError
from thermo_core.files import check_readable
from thermo_core.text import clean
from thermo_hub.broker.settings import WEARABLE, BrokerLine
from thermo_hub.secret_files import secret_of

TIMEOUT_S = 10.0
KEEPALIVE_S = 30
IN_FLIGHT = 32
"""Messages that wait for the broker to take them at most."""
FOR_EVER_S = 0xFFFFFFFF
VERSIONS = {"5": aiomqtt.ProtocolVersion.V5, "3.1.1": aiomqtt.ProtocolVersion.V311}
_ERRNO = re.compile(r"^\[Errno -?\d+\] ")
FAILURES = (aiomqtt.MqttError, OSError, ValueError)
"""What a line fails with."""
Answer = TypeVar("Answer")


class Line(aiomqtt.Client):
    """A line whose waits can be cancelled at any moment.

    `asyncio.wait_for`, by which aiomqtt waits, passes over a cancellation that comes with the answer it waits for (Python 3.11,
    python/cpython#86296): a task that tells the broker something could not be ended then, nor the hub.
    """

    async def _wait_for(self, fut: Awaitable[Answer], timeout: float | None) -> Answer:
        wait_s = self.timeout if timeout is None else timeout
        try:
            async with asyncio.timeout(None if wait_s == math.inf else wait_s):
                return await fut
        except TimeoutError:
            raise aiomqtt.MqttError("Operation timed out") from None


class Door:
    """How a broker is entered; secrets are read once.

    Args:
        settings: where it is.
        wearable: whose line it is, where there is one for each.

    Raises:
        StorageError, UsageError: a secret or a certificate cannot be read.
    """

    def __init__(self, settings: BrokerLine, wearable: str = "") -> None:
        self._settings = settings
        self._user = settings.user and settings.user.replace(WEARABLE, wearable)
        file = settings.password_file
        self._password = secret_of(file.replace(WEARABLE, wearable)) if file else None
        self._tls = _tls(settings) if settings.tls else None

    @property
    def where(self) -> str:
        """The broker, in words."""
        return f"{self._settings.host}:{self._settings.port}"

    def client(self, identifier: str | None = None, will: aiomqtt.Will | None = None, lasting: bool = False) -> Line:
        """A line that is opened by `async with`.

        Args:
            identifier: by which the broker knows it again; one of its own where left out.
            will: what the broker says when the line breaks.
            lasting: the broker keeps what comes while the line is down.
        """
        settings = self._settings
        newest = settings.protocol == "5"
        properties = None
        if newest and lasting:
            properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            properties.SessionExpiryInterval = FOR_EVER_S
        client = Line(
            settings.host,
            settings.port,
            username=self._user,
            password=self._password,
            identifier=identifier,
            protocol=VERSIONS[settings.protocol],
            will=will,
            tls_context=self._tls,
            timeout=TIMEOUT_S,
            keepalive=KEEPALIVE_S,
            clean_session=None if newest else not lasting,
            clean_start=not lasting if newest else 3,
            properties=properties,
            max_inflight_messages=IN_FLIGHT,
        )
        client.pending_calls_threshold = 2 * IN_FLIGHT
        return client

    def problem(self, error: BaseException) -> str:
        """Why the line failed, in a sentence."""
        reason = clean(_ERRNO.sub("", str(error)) or type(error).__name__, 200).rstrip(".")
        return f"The MQTT broker at {self.where} cannot be used: {reason}; check that it runs, what it lets this user do, and what hub.toml says of it."


def first_of(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The first that failed of several tasks."""
    first: BaseException = group
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    return first


def _tls(settings: BrokerLine) -> ssl.SSLContext:
    if settings.ca_file:
        check_readable(Path(settings.ca_file).expanduser())
    try:
        made = ssl.create_default_context(cafile=str(Path(settings.ca_file).expanduser()) if settings.ca_file else None)
    except (ssl.SSLError, OSError) as error:
        raise UsageError(
            f"{settings.ca_file} holds no certificates in PEM; name the file of who signed the broker's."
        ) from error
    made.minimum_version = ssl.TLSVersion.TLSv1_3
    return made
