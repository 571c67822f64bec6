"""The stages of a wearable that learn of its wearer, at work: what they know is saved, loaded, shown and forgotten here."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from thermo_core.errors import DamagedFileError
from thermo_core.graph.learned import UNKNOWN_BASIS, Entry, Learning, basis_of, learnings, pack, unpack
from thermo_core.graph.live import LiveGraph
from thermo_core.graph.plan import Plan
from thermo_core.graph.runners import RecursiveRunner
from thermo_core.stages.learning import Learner, Progress


@dataclass(slots=True)
class _Known:
    """A stage that learns, and how its sensors measured what it learned."""

    learning: Learning
    runner: RecursiveRunner
    basis: int = UNKNOWN_BASIS

    @property
    def learner(self) -> Learner:
        learner = self.runner.learner
        if learner is None:
            raise TypeError(f"{self.learning.name} learns nothing")
        return learner


class Learners:
    """What a graph's stages know of a wearer.

    What was learned of other constants or another correction of a sensor is forgotten once that is known: another chip, or a
    calibration, moves the level by more than an illness does.

    Args:
        plan: the wearable.
        graph: at work.
        on_dropped: told why something that was learned is not known any more, a sentence.
    """

    def __init__(self, plan: Plan, graph: LiveGraph, on_dropped: Callable[[str], None] = lambda sentence: None) -> None:
        self._on_dropped = on_dropped
        self._known = [
            _Known(one, runner)
            for one in learnings(plan)
            if isinstance(runner := graph.runner(one.node), RecursiveRunner)
        ]
        self._sensors: dict[int, tuple[int, int]] = {}

    def measured_by(self, sensor: int, constants: int, correction: int) -> None:
        """A sensor measures with these from now on: CRC-32 of its constants and of the correction in use, 0 of none."""
        self._sensors[sensor] = constants, correction
        for one in self._known:
            if sensor in one.learning.sensors:
                self._check(one)

    def save(self) -> bytes:
        """All that is known; b"" where no stage learns."""
        if not self._known:
            return b""
        return pack({one.learning.key: Entry(one.basis, one.learner.save()) for one in self._known})

    def load(self, data: bytes) -> None:
        """Know what `save` of this wearable gave; what does not fit is left out and told."""
        try:
            entries = unpack(data)
        except DamagedFileError as error:
            self._on_dropped(str(error))
            return
        for one in self._known:
            entry = entries.get(one.learning.key)
            if entry is not None and self._take(one, entry):
                del entries[one.learning.key]
        unfit = sum(Progress.from_head(entry.state).samples > 0 for entry in entries.values())
        if unfit:
            self._on_dropped(
                f"What {unfit} stage{'' if unfit == 1 else 's'} had learned does not fit this wearable's profile; it is learned anew."
            )

    def forget(self, signals: Iterable[int] | None = None) -> None:
        """Know nothing of these stages any more, by the numbers of their signals; of all where omitted."""
        wanted = None if signals is None else set(signals)
        for one in self._known:
            if wanted is None or one.learning.signal in wanted:
                one.runner.forget()

    def progress(self) -> tuple[tuple[Learning, Progress], ...]:
        """How far each stage is."""
        return tuple((one.learning, one.learner.progress) for one in self._known)

    def _check(self, one: _Known) -> None:
        """Forget what was learned with other constants or corrections, once those of all its sensors are known."""
        if not all(number in self._sensors for number in one.learning.sensors):
            return
        basis = basis_of([self._sensors[number] for number in one.learning.sensors])
        if one.basis not in (UNKNOWN_BASIS, basis) and one.learner.progress.samples:
            one.runner.forget()
            self._on_dropped(
                f'What "{one.learning.name}" had learned was of other sensors or corrections; it is learned anew.'
            )
        one.basis = basis

    def _take(self, one: _Known, entry: Entry) -> bool:
        try:
            one.learner.load(entry.state)
        except ValueError:
            return False
        one.basis = entry.basis
        self._check(one)
        return True
