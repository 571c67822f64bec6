"""The channel that is always there: every page that is open says and sounds it."""

from thermo_hub.alerts.channels.channel import Message
from thermo_hub.bus import Bus
from thermo_hub.events import Announced


class PageChannel:
    """Tells pages.

    Args:
        name: of the channel.
        bus: carries it.
    """

    follows = False
    what = "sound and a line on every page that is open"

    def __init__(self, name: str, bus: Bus) -> None:
        self.name = name
        self._bus = bus

    async def send(self, message: Message) -> str:
        """Have it said; a page that is opened later asks for the alerts that call."""
        self._bus.publish(Announced("alert", message.facts(), str(message.alert["wearable"])))
        return "said on the pages that are open"
