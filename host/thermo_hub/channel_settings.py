"""How alerts reach people: what `hub.toml` says of channels. All of it is off until somebody writes it there."""

from typing import Annotated, Literal

from msgspec import Meta

from thermo_core.schema import Name, Record, Text
from thermo_hub.broker.settings import BrokerLine, Host, Level, Port

Address = Annotated[str, Meta(min_length=3, max_length=254, pattern=r"^[^\s@<>,;:\x00-\x1f]+@[^\s@<>,;:\x00-\x1f]+$")]


class Webhook(Record, frozen=True):
    """An address that is told by HTTP POST, signed.

    Attributes:
        name: of the channel.
        url: http or https.
        secret_file: file with the secret that signs; its first line.
    """

    name: Name
    url: Annotated[str, Meta(max_length=2000, pattern=r"^https?://[^\s/]+")]
    secret_file: Text


class Mail(Record, frozen=True, rename={"sender": "from"}):
    """People who are told by e-mail, through a mail server nearby.

    Attributes:
        name: of the channel.
        to: addresses.
        sender: address; "from" in a file.
        host: of the mail server.
        port: of it.
        security: "starttls" or "tls"; "none" for a server on this machine.
        user: to sign in with; nobody where left out.
        password_file: file with the password; its first line.
    """

    name: Name
    to: Annotated[tuple[Address, ...], Meta(min_length=1, max_length=32)]
    sender: Address
    host: Host = "127.0.0.1"
    port: Port = 25
    security: Literal["none", "starttls", "tls"] = "none"
    user: Text | None = None
    password_file: Text | None = None


class Broker(BrokerLine, frozen=True, kw_only=True):
    """An MQTT broker that keeps how each alert stands.

    Attributes:
        name: of the channel.
        site: in topics: "thermo/v1/SITE/WEARABLE/up/alert/RULE".
    """

    name: Name
    site: Level = "home"


class AlertSettings(Record, frozen=True):
    """Channels beside the page.

    Attributes:
        webhooks: addresses.
        mails: lists of people.
        brokers: of MQTT.
        zone: of the clock that quiet hours go by, as "Europe/Berlin"; that of the machine where left out.
    """

    webhooks: Annotated[tuple[Webhook, ...], Meta(max_length=16)] = ()
    mails: Annotated[tuple[Mail, ...], Meta(max_length=16)] = ()
    brokers: Annotated[tuple[Broker, ...], Meta(max_length=4)] = ()
    zone: Text | None = None
