"""How a hub is set up: hub.toml, or nothing at all."""

import os
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

from thermo_core import schema
from thermo_core.errors import SchemaError, UsageError
from thermo_core.files import read_text
from thermo_hub.broker.settings import BrokerLine, Ingest, Mqtt
from thermo_hub.channel_settings import AlertSettings
from thermo_hub.fhir_settings import FhirSettings

PORT = 8123
LOCAL = frozenset({"127.0.0.1", "::1", "localhost"})


class Kept(schema.Record, frozen=True):
    """How much is kept of what people and programs can make without end.

    Attributes:
        bundles: that one account has given to run recordings with, and as many that were flashed from here; beyond that the one goes that
            has been used by nobody for longest.
        bundles_mb: of all of them together.
        accesses_days: for which it is kept who looked at whom.
        spare_mb: that recordings leave free on the disk.
    """

    bundles: Annotated[int, Meta(ge=1, le=10_000)] = 16
    bundles_mb: Annotated[float, Meta(ge=16, le=1e6)] = 256.0
    accesses_days: Annotated[float, Meta(ge=1, le=36_525)] = 3653.0
    spare_mb: Annotated[float, Meta(ge=0, le=1e9)] = 512.0


class Settings(schema.Record, frozen=True):
    """What `hub.toml` may say; all of it may be left out.

    Attributes:
        host: address that is listened at.
        port: of TCP.
        folder: where the database and recordings are kept; "" for that of the user.
        database: URL, as `postgresql+psycopg://user@host/name`; "" for a SQLite file in the folder.
        ports: serial ports of wearables; empty for every one that is found.
        certificate, key: PEM files for TLS, without which the hub listens at this machine alone.
        names: host names under which browsers reach it, beside its address.
        alerts: how people and programs hear of alerts, beside the pages.
        lsl: how far LSL announces what wearables say, "machine", "link" or "site"; None gives it nothing.
        fhir: server to which what is known of wearers who agreed is sent.
        mqtt: a broker that is told what the wearables here send; none where left out.
        ingest: a broker from which records of other hubs are taken; none where left out.
        usual_learn_s: seconds for which a picture is learned before it is said what of it is not usual.
        keep: how much is kept of what people can make without end.
    """

    host: Annotated[str, Meta(min_length=1, max_length=255)] = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535)] = PORT
    folder: str = ""
    database: str = ""
    ports: Annotated[tuple[str, ...], Meta(max_length=64)] = ()
    certificate: str = ""
    key: str = ""
    names: Annotated[tuple[str, ...], Meta(max_length=16)] = ()
    alerts: AlertSettings = AlertSettings()
    lsl: Literal["machine", "link", "site"] | None = None
    fhir: FhirSettings = FhirSettings()
    mqtt: Mqtt | None = None
    ingest: Ingest | None = None
    usual_learn_s: Annotated[float, Meta(ge=1, le=1e7)] = 600.0
    keep: Kept = Kept()

    @property
    def place(self) -> Path:
        """Folder of everything that is kept."""
        if self.folder:
            return Path(self.folder).expanduser()
        base = os.environ.get("XDG_STATE_HOME") or Path("~/.local/state").expanduser()
        return Path(base) / "thermo-edge" / "hub"

    @property
    def bundles(self) -> Path:
        """Folder of bundles that were flashed from here."""
        return self.place / "bundles"

    @property
    def calibrations(self) -> Path:
        """Folder of reports of calibrations that were made from here."""
        return self.place / "calibrations"

    @property
    def recordings(self) -> Path:
        """Folder of recordings."""
        return self.place / "recordings"

    @property
    def database_url(self) -> str:
        """Where the database is."""
        return self.database or f"sqlite:///{self.place / 'hub.sqlite'}"

    @property
    def secure(self) -> bool:
        """Whether pages travel in TLS."""
        return bool(self.certificate)

    def origin(self, port: int) -> str:
        """Where a browser on this machine finds the pages; `port` is the one that was taken."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.secure else 'http'}://{host}:{port}"


def read_settings(path: Path) -> Settings:
    """Settings of a file.

    Raises:
        StorageError: it cannot be read.
        UsageError: it is no TOML, or says what cannot be.
    """
    try:
        plain: dict[str, Any] = tomllib.loads(read_text(path, 1 << 16))
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path} is not TOML ({error}); correct it.") from error
    try:
        settings = schema.from_plain(plain, Settings, str(path))
    except SchemaError as error:
        raise UsageError(str(error)) from error
    return checked(settings, str(path))


def checked(settings: Settings, where: str = "The settings") -> Settings:
    """The same settings, once they fit together.

    Raises:
        UsageError: they do not.
    """
    if settings.host not in LOCAL and not settings.secure:
        raise UsageError(
            f"{where} would send what wearables measure over the network in the clear; name certificate and key, or leave "
            "host at 127.0.0.1."
        )
    if bool(settings.certificate) != bool(settings.key):
        raise UsageError(f"{where} names a certificate without its key, or a key alone; name both.")
    lines: list[BrokerLine | None] = [settings.mqtt, settings.ingest, *settings.alerts.brokers]
    for line in filter(None, lines):
        if line.host not in LOCAL and not line.tls:
            raise UsageError(
                f"{where} would send what wearables measure to the broker {line.host} in the clear; write `tls = true` beside it."
            )
        if (line.user is None) != (line.password_file is None):
            raise UsageError(f"{where} names a user of a broker without password_file, or the file alone; name both.")
    scheme = urlsplit(settings.database).scheme if settings.database else "sqlite"
    if scheme.partition("+")[0] not in ("sqlite", "postgresql"):
        raise UsageError(f"{where} names a {scheme!r:.20} database; SQLite and PostgreSQL can be used.")
    _check_fhir(settings.fhir, where)
    return settings


def _check_fhir(fhir: FhirSettings, where: str) -> None:
    for address in (fhir.server, fhir.token_url):
        parts = urlsplit(address or "")
        if parts.scheme == "http" and parts.hostname not in LOCAL:
            raise UsageError(
                f"{where} would send what wearables measure to {parts.hostname} in the clear; name an https address in [fhir]."
            )
    smart = (fhir.token_url, fhir.client_id, fhir.key_file)
    if any(smart) and not all(smart):
        raise UsageError(
            f"{where} names some of token_url, client_id and key_file in [fhir]; name all of them, or none."
        )
    if fhir.token_file and any(smart):
        raise UsageError(f"{where} names a token_file and a token_url in [fhir]; name one of them.")
    if not fhir.server and (fhir.token_file or any(smart)):
        raise UsageError(f"{where} names no server in [fhir]; name it, or leave the rest out too.")


def with_changes(settings: Settings, **changes: Any) -> Settings:
    """The same with what a command line says instead, where it says anything."""
    said = {name: value for name, value in changes.items() if value not in (None, ())}
    return msgspec.structs.replace(settings, **said)
