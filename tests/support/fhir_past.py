"""What a hub knows of a wearable with a hostile name, for tests of what leaves it as FHIR."""

from collections import Counter
from datetime import UTC
from typing import Literal

import msgspec
from sqlalchemy import insert

from thermo_hub.alerts.keeper import Keeper, Raised
from thermo_hub.alerts.rules import Rule
from thermo_hub.alerts.watches import AgeWatch
from thermo_hub.anomaly.tables import ALERT_PICTURE
from thermo_hub.fhir.agreed import confirm, say
from thermo_hub.fhir.description import Description, OutputFacts, SensorFacts, SignalFacts
from thermo_hub.fhir.tables import DESCRIPTION
from thermo_hub.security.consents import Purpose
from thermo_hub.store.store import Store
from thermo_hub.store.tables import WEARABLE
from thermo_hub.trends.keeper import HOUR_NS, MINUTE_NS, Minute, TrendKeeper

HOSTILE = '<script>alert(1)</script>\x1b[31m=HYPERLINK("x")'
PNG = b"\x89PNG\r\n\x1a\n" + bytes(16)
DESCRIBED = Description(
    name=HOSTILE,
    software="1.0",
    platform="simulator",
    bundle="1.2.0",
    bundle_sha256="ab" * 32,
    simulated=True,
    development_key=True,
    waived=(HOSTILE,),
    sensors={
        "skin": SensorFacts("skin", "mlx90640", f"left breast {HOSTILE}", True, 1_700_000_000),
        "room": SensorFacts("room", "sht4x", "hem", False, None),
        "pulse": SensorFacts("pulse", "max3010x", "finger", False, None),
    },
    signals={
        "skin": SignalFacts("skin", ("skin",), True),
        "room": SignalFacts("around", ("room",), True),
        "deep": SignalFacts("computed", ("skin",), False),
        "pulse": SignalFacts("computed", ("pulse",), False),
    },
    outputs={
        "core.core": OutputFacts("core", "core", "degC", 0.3, ("skin",)),
        "lesion.score": OutputFacts("lesion", HOSTILE, "", 0.0, ("skin",)),
    },
)
SERIES = (
    ("skin.mean", "skin mean", "degC", 33_600, "0123abcd"),
    ("room", "room", "degC", 21_000, ""),
    ("deep", "deep", "degC", 36_500, ""),
    ("pulse", "pulse", "bpm", 61_000, ""),
    ("core.core", "core: core", "degC", 37_100, ""),
    ("lesion.score", f"lesion: {HOSTILE}", "", 700, ""),
    ("skin.vdd", f"skin.vdd {HOSTILE}", "V", 3_300, ""),
)


def fill(store: Store, wearable: str, start_ns: int, hours: int = 3) -> None:
    """Remember a wearable with hours of trends, what it is, and alerts in every state."""
    with store.write() as connection:
        connection.execute(
            insert(WEARABLE).values(
                id=wearable, serial=HOSTILE[:60], profile="monitor", label="Ann Smith", first_ns=0, last_ns=0
            )
        )
        connection.execute(
            insert(DESCRIPTION).values(
                wearable=wearable, described=msgspec.json.encode(DESCRIBED).decode(), at_ns=start_ns
            )
        )
    trends(store, wearable, start_ns, hours)
    alerts = Keeper(store, lambda: UTC)
    ids = []
    severities: tuple[Literal["info", "warning", "urgent"], ...] = ("urgent", "warning", "info", "urgent")
    for number, severity in enumerate(severities):
        rule = Rule(name=f"hot-{number}", watch=AgeWatch(), severity=severity)
        kept = alerts.begin(
            Raised(wearable, rule, 1, "> 38 degC", 38.2, "degC", f"Too warm {HOSTILE}"), start_ns + number
        )
        assert kept is not None
        ids.append(kept.facts["id"])
    alerts.acknowledge(ids[1], start_ns + 60 * 10**9, HOSTILE, HOSTILE)
    alerts.resolve(wearable, "hot-1", start_ns + 90 * 10**9)
    alerts.snooze(ids[2], start_ns + 60 * 10**9, "Carla", start_ns + HOUR_NS)
    alerts.resolve(wearable, "hot-3", start_ns + 90 * 10**9)
    with store.write() as connection:
        connection.execute(
            insert(ALERT_PICTURE).values(alert=ids[0], signal="skin", wearable=wearable, at_ns=start_ns, png=PNG)
        )


def trends(store: Store, wearable: str, start_ns: int, hours: int) -> None:
    """Hours of every series."""
    keeper = TrendKeeper(store, lambda: UTC)
    for name, label, unit, value, calibration in SERIES:
        for hour in range(hours):
            at_ns = start_ns + hour * HOUR_NS
            counts = Counter({value: 9, value + 10: 1})
            minute = Minute(wearable, name, label, unit, at_ns, counts, 1, 2, 21_000, 90, calibration)
            keeper.add([minute], at_ns + MINUTE_NS)


def agree(store: Store, wearable: str) -> None:
    """Consent to sharing, and to research that was withdrawn again."""
    say(store, wearable, Purpose.SHARING, True, HOSTILE[:60], HOSTILE)
    say(store, wearable, Purpose.RESEARCH, True, "Ann", "")
    say(store, wearable, Purpose.RESEARCH, False, "Ann", "")


def confirm_first(store: Store, wearable: str, start_ns: int) -> None:
    """Have a clinician confirm the first hour of the estimate."""
    confirm(store, wearable, "core.core", start_ns, 37.4, "Dr. Carla", HOSTILE)
