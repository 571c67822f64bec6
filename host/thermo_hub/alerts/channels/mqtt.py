"""How alerts stand, on an MQTT broker: a retained message for each rule of each wearable."""

import json
import re
import ssl

import aiomqtt

from thermo_core.text import clean
from thermo_hub.alerts.channels.channel import DeliveryError, Message
from thermo_hub.channel_settings import Broker
from thermo_hub.secret_files import secret_of

TIMEOUT_S = 10.0
_NOT_IN_TOPICS = re.compile(r"[^A-Za-z0-9_.@-]")


class MqttChannel:
    """Tells one broker.

    Args:
        settings: which.

    Raises:
        StorageError, UsageError: its password cannot be read.
    """

    follows = True

    def __init__(self, settings: Broker) -> None:
        self.name = settings.name
        self.what = f"MQTT at {settings.host}:{settings.port}"
        self._settings = settings
        self._password = secret_of(settings.password_file) if settings.password_file else None

    async def send(self, message: Message) -> str:
        """As `Channel`: done when the broker has said that it has it."""
        settings = self._settings
        topic = topic_of(settings.site, str(message.alert["wearable"]), str(message.alert["rule"]))
        try:
            tls = ssl.create_default_context(cafile=settings.ca_file) if settings.tls else None
            async with aiomqtt.Client(
                settings.host,
                settings.port,
                username=settings.user,
                password=self._password,
                tls_context=tls,
                timeout=TIMEOUT_S,
            ) as client:
                payload = json.dumps(message.facts(), separators=(",", ":"), ensure_ascii=False).encode()
                await client.publish(topic, payload, qos=1, retain=True)
        except (aiomqtt.MqttError, OSError, ValueError) as error:
            raise DeliveryError(clean(str(error) or type(error).__name__, 200)) from error
        return f"kept at {topic}"


def topic_of(site: str, wearable: str, rule: str) -> str:
    """Topic of a rule of a wearable; what has a meaning in topics is replaced."""
    return f"thermo/v1/{site}/{_NOT_IN_TOPICS.sub('_', wearable) or 'hub'}/up/alert/{_NOT_IN_TOPICS.sub('_', rule)}"
