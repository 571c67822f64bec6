"""The desk of reviews: windows and steps in the store; what a reader may see of them, and what they say."""

import secrets
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

import msgspec
from fastapi import HTTPException
from sqlalchemy import Connection, Row, insert, select, update

from thermo_core.errors import ThermoError
from thermo_core.files import file_name
from thermo_core.labels import Kind, Opinion, Reading, check_opinion
from thermo_core.schema import from_plain, to_readable
from thermo_core.text import clean
from thermo_hub.review import life
from thermo_hub.review.kappa import CANNOT_TELL, by_pair
from thermo_hub.review.tables import ITEM, SCAN, STEP
from thermo_hub.review.windows import Looked, Window, look_through
from thermo_hub.security.consents import Purpose, agreed_to
from thermo_hub.security.scopes import ALL, Scope
from thermo_hub.store.store import Store
from thermo_hub.store.tables import METADATA

OWN = "own-"
"""Rules that are made of a wearable's own alerts are called so."""
SETTLED_S = 30.0
"""A recording without an end that nobody has written to for so long has been cut off, and is looked through as it is."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A window with its steps.

    Attributes:
        row: of the table of windows.
        classes: of its model.
        pictures: rows and columns by signal.
        alerts: raised in it, the wearable's own.
        steps: of its readers.
        called: alerts of the hub that began in it, and whether one of them is open.
    """

    row: Row[Any]
    classes: tuple[str, ...]
    pictures: Mapping[str, tuple[int, int]]
    alerts: tuple[str, ...]
    steps: tuple[Reading, ...]
    called: tuple[tuple[str, bool], ...] = ()

    @property
    def state(self) -> life.State:
        """How it stands."""
        return life.state(self.steps)

    @property
    def urgency(self) -> tuple[int, float, int]:
        """By which the queue is sorted, the least first: open alerts, then alerts that are over, then what is least certain."""
        rank = 0 if any(is_open for _, is_open in self.called) else 1 if self.called or self.alerts else 2
        return rank, -self.row.uncertainty, self.row.from_ns


class Desk:
    """Reviews of a hub. All methods may be used in any thread but the event loop's.

    Args:
        store: where they are kept.
        folder: of recordings.
    """

    def __init__(self, store: Store, folder: Path) -> None:
        self._store = store
        self._folder = folder
        self._lock = Lock()

    def gather(self, now_s: float | None = None) -> None:
        """Look through recordings that are new, and put what is worth reading into the queue."""
        now_s = time.time() if now_s is None else now_s
        with self._lock:
            with self._store.read() as connection:
                known = {row.recording: row.size for row in connection.execute(select(SCAN.c.recording, SCAN.c.size))}
            for path in sorted(self._folder.glob("*.mcap")) if self._folder.is_dir() else ():
                try:
                    status = path.stat()
                except OSError:
                    continue
                if known.get(path.name) != status.st_size:
                    self._scan(path, status.st_size, now_s - status.st_mtime > SETTLED_S)
            self._choose_called()

    def _scan(self, path: Path, size: int, settled: bool) -> None:
        values: dict[str, Any] = {"size": size, "wearable": "", "from_ns": 0, "to_ns": 0, "problem": ""}
        found: Looked | None = None
        try:
            found = look_through(path)
        except ThermoError as error:
            values["problem"] = clean(str(error), 500)
        if found is not None:
            if not found.complete and not settled:
                return  # it is being made
            wearable = file_name(found.session.hello.serial)
            values |= {"wearable": wearable, "from_ns": found.from_ns, "to_ns": found.to_ns}
            if not found.windows:
                values["problem"] = "No model of this wearable says classes, so there is nothing to label."
        with self._store.write() as connection:
            is_known = connection.execute(select(SCAN.c.size).where(SCAN.c.recording == path.name)).first()
            if is_known is None:
                connection.execute(insert(SCAN).values(recording=path.name, **values))
            else:
                connection.execute(update(SCAN).where(SCAN.c.recording == path.name).values(**values))
            if found is not None:
                for one in found.windows:
                    if one.chosen:
                        _put(connection, path.name, found, one)

    def _choose_called(self) -> None:
        """Put windows in which alerts of the hub began into the queue too, of recordings that were looked through before."""
        alert = METADATA.tables["alert"]
        with self._store.read() as connection:
            rows = connection.execute(
                select(SCAN.c.recording, alert.c.raised_ns).where(
                    SCAN.c.problem == "",
                    alert.c.wearable == SCAN.c.wearable,
                    alert.c.raised_ns >= SCAN.c.from_ns,
                    alert.c.raised_ns <= SCAN.c.to_ns,
                )
            ).all()
            have = connection.execute(select(ITEM.c.recording, ITEM.c.from_ns, ITEM.c.to_ns)).all()
        lacking: dict[str, list[int]] = defaultdict(list)
        for row in rows:
            if not any(one.recording == row.recording and one.from_ns <= row.raised_ns < one.to_ns for one in have):
                lacking[row.recording].append(row.raised_ns)
        for name, moments in lacking.items():
            try:
                found = look_through(self._folder / name)
            except ThermoError:
                continue  # it was there when it was looked through; the list of recordings says what is wrong
            with self._store.write() as connection:
                for window in found.windows:
                    if any(window.from_ns <= at < window.to_ns for at in moments):
                        _put(connection, name, found, window)

    def all(self) -> list[Kept]:
        """Every window, the most urgent first."""
        alert = METADATA.tables["alert"]
        with self._store.read() as connection:
            items = connection.execute(select(ITEM)).all()
            steps = connection.execute(select(STEP).order_by(STEP.c.item, STEP.c.number)).all()
            called = connection.execute(
                select(ITEM.c.id, alert.c.rule, alert.c.resolved_ns).where(
                    alert.c.wearable == ITEM.c.wearable,
                    alert.c.raised_ns >= ITEM.c.from_ns,
                    alert.c.raised_ns < ITEM.c.to_ns,
                )
            ).all()
        of: dict[str, list[Reading]] = defaultdict(list)
        for row in steps:
            of[row.item].append(_reading(row))
        calls: dict[str, list[tuple[str, bool]]] = defaultdict(list)
        for row in called:
            calls[row.id].append((row.rule, row.resolved_ns is None))
        kept = [_kept(row, of[row.id], calls[row.id]) for row in items]
        return sorted(kept, key=lambda one: one.urgency)

    def one(self, item: str) -> Kept:
        """A window with its steps.

        Raises:
            HTTPException: 404, there is none.
        """
        with self._store.read() as connection:
            return _one(connection, item)

    def finding(self, item: str, who: str) -> dict[str, Any]:
        """What the model said of a window.

        Raises:
            HTTPException: 404, there is no such window; 409, this reader has not read it yet.
        """
        kept = self.one(item)
        if not life.sees_finding(kept.steps, who):
            raise HTTPException(409, "Read the window first: the model's finding is shown once your opinion is stored.")
        found: dict[str, Any] = msgspec.json.decode(kept.row.finding)
        return {**found, "uncertainty": kept.row.uncertainty, "called": _beside(kept)}

    def step(
        self, item: str, who: str, kind: Kind, opinion: Opinion | None, expected: int, now_ns: int | None = None
    ) -> Kept:
        """Have a reader take a step.

        Args:
            item: window.
            who: reader.
            kind: of the step.
            opinion: held from now on; None keeps that before.
            expected: number of the reader's own steps that were known when it was taken.
            now_ns: when.

        Raises:
            UsageError: the step is not theirs, or the opinion does not fit the window.
            HTTPException: 404, no such window; 409, the reader took a step elsewhere meanwhile.
        """
        with self._lock, self._store.write() as connection:
            kept = _one(connection, item)
            if expected != sum(one.by == who for one in kept.steps):
                raise HTTPException(
                    409, "You have said something of this window elsewhere meanwhile; look at it again."
                )
            if opinion is not None:
                check_opinion(opinion, kept.classes, (kept.row.from_ns, kept.row.to_ns), kept.pictures)
            made = life.step(kept.steps, who, kind, opinion, time.time_ns() if now_ns is None else now_ns)
            connection.execute(
                insert(STEP).values(
                    item=item,
                    number=len(kept.steps) + 1,
                    at_ns=made.at_ns,
                    by=made.by,
                    kind=made.kind,
                    blinded=made.blinded,
                    opinion=msgspec.json.encode(to_readable(made.opinion)).decode(),
                )
            )
            return _one(connection, item)

    def agreed_to_training(self) -> frozenset[str]:
        """Ids of wearables whose wearers have given consent to training, and not withdrawn it."""
        return agreed_to(self._store, Purpose.TRAINING)

    def agreement(self, seen: Scope = ALL) -> list[dict[str, Any]]:
        """Of each two readers on each model: Cohen's kappa of their blind reads.

        Args:
            seen: wearables whose windows count.
        """
        of: dict[tuple[str, str], list[Kept]] = defaultdict(list)
        for kept in self.all():
            if seen.sees(kept.row.wearable):
                of[kept.row.profile, kept.row.model].append(kept)
        found = []
        for (profile, model), windows in sorted(of.items()):
            classes = list(dict.fromkeys(name for one in windows for name in one.classes))
            reads = [
                (one.row.id, step.by, step.opinion.label or CANNOT_TELL)
                for one in windows
                for step in one.steps
                if step.kind == "first"
            ]
            pairs = by_pair(reads, classes)
            found += [{"profile": profile, "model": model, **pair} for pair in pairs]
        return found


def _beside(kept: Kept) -> list[str]:
    """Rules of the hub that began to call in a window, but for those that are the wearable's own alerts, which are told as such."""
    own = {f"{OWN}{name}" for name in kept.alerts}
    return sorted({rule for rule, _ in kept.called} - own)


def _put(connection: Connection, recording: str, found: Looked, one: Window) -> None:
    """Keep a window, unless it is kept already."""
    taken = connection.execute(
        select(ITEM.c.id).where(ITEM.c.recording == recording, ITEM.c.model == one.model, ITEM.c.from_ns == one.from_ns)
    ).first()
    if taken is not None:
        return
    session = found.session
    wearable = file_name(session.hello.serial)
    connection.execute(
        insert(ITEM).values(
            id=secrets.token_hex(8),
            recording=recording,
            wearable=wearable,
            person=session.subject or wearable,
            profile=session.hello.profile,
            model=one.model,
            classes=msgspec.json.encode(one.classes).decode(),
            pictures=msgspec.json.encode(found.pictures).decode(),
            from_ns=one.from_ns,
            to_ns=one.to_ns,
            uncertainty=one.uncertainty,
            alerts=msgspec.json.encode(one.alerts).decode(),
            finding=msgspec.json.encode(one.finding).decode(),
            made_ns=time.time_ns(),
        )
    )


def _one(connection: Connection, item: str) -> Kept:
    alert = METADATA.tables["alert"]
    row = connection.execute(select(ITEM).where(ITEM.c.id == item)).first()
    if row is None:
        raise HTTPException(404, "There is no such window; look at the queue for those there are.")
    steps = connection.execute(select(STEP).where(STEP.c.item == item).order_by(STEP.c.number)).all()
    called = connection.execute(
        select(alert.c.rule, alert.c.resolved_ns).where(
            alert.c.wearable == row.wearable, alert.c.raised_ns >= row.from_ns, alert.c.raised_ns < row.to_ns
        )
    ).all()
    return _kept(row, [_reading(one) for one in steps], [(one.rule, one.resolved_ns is None) for one in called])


def _kept(row: Row[Any], steps: Sequence[Reading], called: Sequence[tuple[str, bool]]) -> Kept:
    pictures = {name: (shape[0], shape[1]) for name, shape in msgspec.json.decode(row.pictures).items()}
    return Kept(
        row,
        tuple(msgspec.json.decode(row.classes)),
        pictures,
        tuple(msgspec.json.decode(row.alerts)),
        tuple(steps),
        tuple(called),
    )


def _reading(row: Row[Any]) -> Reading:
    opinion = from_plain(msgspec.json.decode(row.opinion), Opinion, "opinion")
    return Reading(at_ns=row.at_ns, by=row.by, kind=row.kind, blinded=row.blinded, opinion=opinion)
