"""A window under review through any lives: readers in any order, blind first, with or against each other, and a third."""

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from reviewed import CLASSES, uncertain
from sqlalchemy import select

from thermo_core.errors import UsageError
from thermo_core.labels import Kind, Opinion, Reading
from thermo_hub.alerts.tables import ALERT
from thermo_hub.review.desk import Desk
from thermo_hub.review.life import CLOSED, State, has_ended, holding, readers
from thermo_hub.review.tables import STEP
from thermo_hub.settings import Settings
from thermo_hub.store.store import Store, open_store

pytestmark = pytest.mark.lengthy

assert ALERT is not None  # the desk looks alerts up
FAST = "/dev/shm" if Path("/dev/shm").is_dir() else None
PEOPLE = ("ada", "ben", "cleo", "dan")
OPINIONS = st.sampled_from([Opinion(label=None), *(Opinion(label=name) for name in CLASSES)])
KINDS: tuple[Kind, ...] = ("first", "kept", "changed", "revised", "adjudicated")


@cache
def gathered() -> Path:
    """A hub's folder with one window in its queue."""
    folder = Path(tempfile.mkdtemp(dir=FAST))
    atexit.register(shutil.rmtree, folder)
    uncertain(folder / "recordings" / "a.mcap", "Anna", "0001")
    store = open_store(msgspec.structs.replace(Settings(), folder=str(folder)))
    Desk(store, folder / "recordings").gather()
    store.close()
    return folder


class Window(RuleBasedStateMachine):
    """`said` is what readers were told has been stored; `told` who has seen the model's finding."""

    store: Store
    desk: Desk
    item: str

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory(dir=FAST)
        self.said: list[Reading] = []
        self.rows: list[tuple[object, ...]] = []
        self.now_ns = 1_700_000_000_000_000_000

    @initialize()
    def begin(self) -> None:
        shutil.copytree(gathered(), self._folder.name, dirs_exist_ok=True)
        self.settings = msgspec.structs.replace(Settings(), folder=self._folder.name)
        self.store = open_store(self.settings)
        self.open()
        (kept,) = self.desk.all()
        self.item = kept.row.id

    def open(self) -> None:
        self.desk = Desk(self.store, Path(self._folder.name) / "recordings")

    def teardown(self) -> None:
        self.store.close()
        self._folder.cleanup()

    @rule(who=st.sampled_from(PEOPLE), kind=st.sampled_from(KINDS), opinion=OPINIONS)
    def somebody_says(self, who: str, kind: Kind, opinion: Opinion) -> None:
        self.now_ns += 1
        mine = [one for one in self.said if one.by == who]
        try:
            kept = self.desk.step(
                self.item, who, kind, None if kind == "kept" else opinion, expected=len(mine), now_ns=self.now_ns
            )
        except UsageError:
            return
        step = kept.steps[-1]
        assert (step.by, step.kind) == (who, kind)
        if kind == "first":
            assert not mine and step.blinded
        else:
            assert not step.blinded
        if kind in ("kept", "changed"):
            assert [one.kind for one in mine] == ["first"]
        if kind == "kept":
            assert step.opinion == mine[0].opinion
        if kind in ("revised", "adjudicated"):
            assert len(readers(self.said)) == 2
            assert len({self.last(one).label for one in readers(self.said)}) == 2
            assert (who in readers(self.said)) == (kind == "revised")
        self.said.append(step)

    @rule()
    def the_hub_starts_anew(self) -> None:
        self.store.close()
        self.store = open_store(self.settings)
        self.open()
        self.desk.gather()

    @rule(who=st.sampled_from(PEOPLE))
    def somebody_asks_for_the_finding(self, who: str) -> None:
        read = any(one.by == who for one in self.said)
        kept = self.desk.one(self.item)
        try:
            found = self.desk.finding(self.item, who)
        except Exception as error:  # HTTPException, which the part gives as 409
            assert getattr(error, "status_code", None) == 409
            assert not read
            return
        assert found["label"] in CLASSES
        assert read or kept.state in CLOSED or kept.state is State.DISPUTED

    def last(self, who: str) -> Opinion:
        return [one.opinion for one in self.said if one.by == who][-1]

    @invariant()
    def no_row_is_ever_changed(self) -> None:
        if not hasattr(self, "store"):
            return
        with self.store.read() as connection:
            rows = [tuple(row) for row in connection.execute(select(STEP).order_by(STEP.c.number))]
        assert rows[: len(self.rows)] == self.rows
        assert len(rows) == len(self.said)
        self.rows = rows

    @invariant()
    def what_holds_is_what_people_said(self) -> None:
        if not hasattr(self, "item"):
            return
        kept = self.desk.one(self.item)
        assert list(kept.steps) == self.said
        reading = readers(self.said)
        assert len(reading) <= 2
        if any(one.kind == "adjudicated" for one in self.said):
            assert kept.state is State.ADJUDICATED
            assert holding(kept.steps) == self.said[-1].opinion
        elif len(reading) == 2 and all(has_ended(self.said, who) for who in reading):
            labels = {self.last(who).label for who in reading}
            assert (kept.state is State.AGREED) == (len(labels) == 1)
            assert (holding(kept.steps) is None) == (len(labels) == 2)
        else:
            assert kept.state in (State.WAITING, State.READING, State.ONCE)


TestWindow = Window.TestCase
TestWindow.settings = settings(max_examples=12, stateful_step_count=20, deadline=None)
