"""Where a broker is and how it is spoken to, as `hub.toml` says it."""

from typing import Annotated, Literal

from msgspec import Meta

from thermo_core.schema import Name, Record, Text

Host = Annotated[str, Meta(min_length=1, max_length=255)]
Port = Annotated[int, Meta(ge=1, le=65535)]
Level = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_.@-]+$")]
"""One level of a topic."""
WEARABLE = "{wearable}"
"""Stands in a user or the name of a password's file for the id of a wearable."""


class BrokerLine(Record, frozen=True):
    """The line to a broker.

    Attributes:
        host: of the broker.
        port: of it.
        tls: whether the line is in TLS 1.3.
        ca_file: PEM file of who signed the broker's certificate; those of the system where left out.
        user: to sign in with.
        password_file: file with the password; its first line.
        protocol: version of MQTT.
    """

    host: Host = "127.0.0.1"
    port: Port = 1883
    tls: bool = False
    ca_file: Text | None = None
    user: Text | None = None
    password_file: Text | None = None
    protocol: Literal["5", "3.1.1"] = "5"


class Mqtt(BrokerLine, frozen=True, kw_only=True):
    """A broker that is told what the wearables here send.

    Attributes:
        site: in topics: "thermo/v1/SITE/WEARABLE/up/...".
        spool_days: how long what the broker has not taken is kept.
        spool_mb: how much of it a wearable may fill.
        discovery: prefix under which Home Assistant finds entities, as "homeassistant"; "" where it is to find none.
    """

    site: Level = "home"
    spool_days: Annotated[float, Meta(gt=0, le=366)] = 7.0
    spool_mb: Annotated[float, Meta(gt=0, le=1_000_000)] = 4096.0
    discovery: Annotated[str, Meta(max_length=64, pattern=r"^[A-Za-z0-9_/-]*$")] = ""


class Ingest(BrokerLine, frozen=True, kw_only=True):
    """A broker from which records of other hubs are taken.

    Attributes:
        name: of this hub at the broker; no other that takes records there has it.
        sites: whose records; those of all where left out.
        keep: where raw records are kept: "files" in the hub's folder, "database", or "nowhere".
        days: for which they are kept.
        shown: how many wearables are decoded and shown on the wall at most; those beyond are only kept.
    """

    name: Name = "hub"
    sites: Annotated[tuple[Level, ...], Meta(max_length=64)] = ()
    keep: Literal["files", "database", "nowhere"] = "files"
    days: Annotated[float, Meta(gt=0, le=36_600)] = 7.0
    shown: Annotated[int, Meta(ge=0, le=1000)] = 32
