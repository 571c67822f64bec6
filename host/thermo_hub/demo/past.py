"""What is known of the wearables of a demonstration before they join: what people call them, and the day before."""

import time

from sqlalchemy import delete, insert

from thermo_core.files import file_name
from thermo_hub.demo.crowd import Simulated
from thermo_hub.store.store import Store
from thermo_hub.store.tables import WEARABLE
from thermo_hub.trends.history import fill


def give_past(store: Store, serial: str, one: Simulated) -> None:
    """Remember a wearable under its label, as if somebody had given it before, with a day of minutes made up."""
    now = time.time_ns()
    wearable = file_name(serial)
    with store.write() as connection:
        connection.execute(delete(WEARABLE).where(WEARABLE.c.id == wearable))
        connection.execute(
            insert(WEARABLE).values(
                id=wearable, serial=serial, profile=one.wearable, label=one.label, first_ns=now, last_ns=now
            )
        )
    fill(store, [wearable], seed=one.seed)
