"""The channels that settings ask for, by name."""

from thermo_core.errors import UsageError
from thermo_hub.alerts.channels.channel import Channel
from thermo_hub.alerts.channels.mail import MailChannel
from thermo_hub.alerts.channels.mqtt import MqttChannel
from thermo_hub.alerts.channels.page import PageChannel
from thermo_hub.alerts.channels.webhook import WebhookChannel
from thermo_hub.alerts.rules import PAGE
from thermo_hub.bus import Bus
from thermo_hub.channel_settings import AlertSettings


def channels(settings: AlertSettings, bus: Bus) -> dict[str, Channel]:
    """All of them; the page is always among them.

    Raises:
        UsageError: two have the same name.
        StorageError: a secret cannot be read, or others may read it.
    """
    made: list[Channel] = [PageChannel(PAGE, bus)]
    made += [WebhookChannel(one) for one in settings.webhooks]
    made += [MailChannel(one) for one in settings.mails]
    made += [MqttChannel(one) for one in settings.brokers]
    found: dict[str, Channel] = {}
    for channel in made:
        if channel.name in found:
            raise UsageError(f"There are two channels called {channel.name}; give each a name of its own in hub.toml.")
        found[channel.name] = channel
    return found
