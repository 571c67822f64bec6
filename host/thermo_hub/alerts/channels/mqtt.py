"""How alerts stand, on an MQTT broker: a retained message for each rule of each wearable."""

import json

from thermo_hub.alerts.channels.channel import DeliveryError, Message
from thermo_hub.broker.connection import FAILURES, Door
from thermo_hub.broker.topics import ALERT, Place, level
from thermo_hub.channel_settings import Broker


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
        self._site = settings.site
        self._door = Door(settings)

    async def send(self, message: Message) -> str:
        """As `Channel`: done when the broker has said that it has it."""
        topic = topic_of(self._site, str(message.alert["wearable"]), str(message.alert["rule"]))
        try:
            async with self._door.client() as client:
                payload = json.dumps(message.facts(), separators=(",", ":"), ensure_ascii=False).encode()
                await client.publish(topic, payload, qos=1, retain=True)
        except FAILURES as error:
            raise DeliveryError(self._door.problem(error)) from error
        return f"kept at {topic}"


def topic_of(site: str, wearable: str, rule: str) -> str:
    """Topic of a rule of a wearable; what has a meaning in topics is replaced."""
    return Place(site, level(wearable) if wearable else "hub").up(ALERT, rule)
