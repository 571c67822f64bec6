"""What people say to what leaves the hub: a wearer consents for a purpose or withdraws, a clinician confirms an estimate."""

import secrets
import time
from typing import Any

from sqlalchemy import Connection, insert, select

from thermo_core.errors import UsageError
from thermo_core.text import clean
from thermo_core.typed import from_json
from thermo_hub.fhir.description import Description
from thermo_hub.fhir.known import HOUR_NS, HOUR_WIDTH, row_of
from thermo_hub.fhir.tables import CONFIRMATION, DESCRIPTION
from thermo_hub.security.consents import HOW, WORDS, Purpose, consent_rows, is_given
from thermo_hub.store.store import Store
from thermo_hub.store.tables import CONSENT, METADATA


class Refusal(UsageError):
    """The wearer has not agreed to it."""


def consents(store: Store, wearable: str) -> dict[str, Any]:
    """How each purpose stands, and all that was said of them, newest first.

    Raises:
        UsageError: there is no such wearable.
    """
    with store.read() as connection:
        row_of(connection, wearable)
        rows = consent_rows(connection, wearable)
    return {
        "wearable": wearable,
        "purposes": [{"purpose": one, "words": WORDS[one], "given": is_given(rows, one)} for one in Purpose],
        "said": [
            {
                "purpose": row.purpose,
                "given": row.given,
                "by": row.by,
                "at_ms": row.at_ns // 1_000_000,
                "note": row.note,
            }
            for row in reversed(rows)
        ],
    }


def say(store: Store, wearable: str, purpose: Purpose, given: bool, by: str, note: str) -> None:
    """Give consent for a purpose, or withdraw it; said twice it is written once.

    Raises:
        UsageError: there is no such wearable.
    """
    with store.write() as connection:
        row_of(connection, wearable)
        rows = consent_rows(connection, wearable)
        if is_given(rows, purpose) == given:
            return
        connection.execute(
            insert(CONSENT).values(
                id=secrets.token_hex(16),
                wearable=wearable,
                purpose=purpose,
                given=given,
                by=by,
                # After what was said before, also where the clock was set back: the last word holds.
                at_ns=max([time.time_ns(), *(row.at_ns + 1 for row in rows)]),
                note=clean(note, 500),
            )
        )


def check_given(store: Store, wearable: str, purpose: Purpose) -> None:
    """Hold to it that a wearer agreed.

    Raises:
        UsageError: there is no such wearable.
        Refusal: its wearer did not.
    """
    with store.read() as connection:
        row_of(connection, wearable)
        rows = consent_rows(connection, wearable)
    if not is_given(rows, purpose):
        mine = [row for row in rows if row.purpose == purpose]
        why = f"{mine[-1].by} withdrew consent for it" if mine else "nobody has given consent for it"
        raise Refusal(f"Nothing of {wearable!r:.80} leaves the hub for {WORDS[purpose]}: {why}; {HOW}.")


def estimates(store: Store, wearable: str, most: int) -> list[dict[str, Any]]:
    """Hours of what models estimate in degC, newest first, and who confirmed them.

    Raises:
        UsageError: there is no such wearable.
    """
    series, rollups = METADATA.tables["trend_series"], METADATA.tables["trend_rollup"]
    with store.read() as connection:
        row_of(connection, wearable)
        outputs = _outputs(connection, wearable)
        rows = connection.execute(
            select(rollups, series.c.name, series.c.label, series.c.unit)
            .join(series, series.c.id == rollups.c.series)
            .where(
                series.c.wearable == wearable,
                series.c.name.in_(list(outputs)),
                series.c.unit == "degC",
                rollups.c.width == HOUR_WIDTH,
                rollups.c.n > 0,
            )
            .order_by(rollups.c.start_ns.desc(), series.c.id)
            .limit(most)
        ).all()
        said = {
            (row.series, row.start_ns): row
            for row in connection.execute(select(CONFIRMATION).where(CONFIRMATION.c.wearable == wearable))
        }
    return [
        {
            "series": row.name,
            "label": row.label,
            "unit": row.unit,
            "start_ms": row.start_ns // 1_000_000,
            "mean": round(row.total / row.n) / 1000,
            "spread": outputs[row.name].spread,
            "confirmed": _confirmed(said.get((row.name, row.start_ns))),
        }
        for row in rows
    ]


def confirm(
    store: Store, wearable: str, series: str, start_ns: int, value: float | None, by: str, note: str
) -> dict[str, Any]:
    """Write down that a clinician takes an hour's estimate of a model for what it is, or says what it is.

    Args:
        store: of the hub.
        wearable: its id.
        series: of the estimate.
        start_ns: of the hour.
        value: that holds; None for that of the model.
        by: who confirms.
        note: how it was found.

    Raises:
        UsageError: there is no such wearable or estimate, or it was confirmed.
    """
    all_series, rollups = METADATA.tables["trend_series"], METADATA.tables["trend_rollup"]
    with store.write() as connection:
        row_of(connection, wearable)
        row = connection.execute(
            select(rollups)
            .join(all_series, all_series.c.id == rollups.c.series)
            .where(
                all_series.c.wearable == wearable,
                all_series.c.name == series,
                all_series.c.unit == "degC",
                rollups.c.width == HOUR_WIDTH,
                rollups.c.start_ns == start_ns // HOUR_NS * HOUR_NS,
                rollups.c.n > 0,
            )
        ).first()
        if row is None or series not in _outputs(connection, wearable):
            raise UsageError(
                f"No model of {wearable!r:.80} estimated {series!r:.130} in degC in that hour; look at the list of estimates."
            )
        where = (
            (CONFIRMATION.c.wearable == wearable)
            & (CONFIRMATION.c.series == series)
            & (CONFIRMATION.c.start_ns == row.start_ns)
        )
        before = connection.execute(select(CONFIRMATION).where(where)).first()
        if before is not None:
            raise UsageError(f"{before.by} has confirmed this hour; what is confirmed stays.")
        connection.execute(
            insert(CONFIRMATION).values(
                id=secrets.token_hex(16),
                wearable=wearable,
                series=series,
                start_ns=row.start_ns,
                value=round(row.total / row.n) / 1000 if value is None else value,
                by=by,
                at_ns=time.time_ns(),
                note=clean(note, 500),
            )
        )
        return _confirmed(connection.execute(select(CONFIRMATION).where(where)).one()) or {}


def _outputs(connection: Connection, wearable: str) -> Any:
    described = connection.execute(select(DESCRIPTION.c.described).where(DESCRIPTION.c.wearable == wearable)).scalar()
    return {} if described is None else from_json(described, Description).outputs


def _confirmed(row: Any) -> dict[str, Any] | None:
    return (
        None if row is None else {"value": row.value, "by": row.by, "at_ms": row.at_ns // 1_000_000, "note": row.note}
    )
