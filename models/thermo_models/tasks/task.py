"""What a task is: data, split rule, the stages that make features, network, metrics and goals."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from thermo_core.stages.stage import Stage
from thermo_core.wearable.file import Wearable
from thermo_core.wearable.profile import Profile
from thermo_models.fit import Augment, Curves
from thermo_models.samples import Fold, Samples
from thermo_models.settings import Settings

Said = Callable[[NDArray[np.float32]], NDArray[np.float32]]
"""Outputs (n, outputs) of a network for what its stages make (n, ...)."""
CHANCE = "chance"
"""Name of what is said where nothing is known: a level to see figures by, and no method to be better than."""


@dataclass(frozen=True, slots=True)
class Goal:
    """A figure the int8 model should reach.

    Attributes:
        metric: its name in the metrics.
        value: to reach.
        at_least: whether more is better.
    """

    metric: str
    value: float
    at_least: bool

    def met(self, metrics: dict[str, Any]) -> bool:
        """Whether it is; a missing figure is not."""
        found = metrics.get(self.metric)
        if found is None:
            return False
        return bool(found >= self.value if self.at_least else found <= self.value)


@dataclass(frozen=True, slots=True)
class Plan:
    """How the training side of one fold becomes what the network sees.

    Attributes:
        stages: of the wearable, without memory, from what `Task.prepare` gives to the network's input; what they have to learn comes
            from the training side alone.
        augment: makes network inputs of a batch of training features, otherwise each time; None makes them as for any sample.
        teach: makes training features and targets out of those of the samples, or None to take these.
        finish: makes of the trained network and training inputs the network that is quantised, or None to take it as it is.
        half_width: of the interval around a quantity that 90 % of new people should fall into, or None.
        beside: stages of the wearable that are learnt too and are not on the way to the network's input.
        solve: sets the network's weights in closed form in place of gradient descent and returns the mean square before and
            after, or None.
        span: network inputs (n, ...) beside those of training, which the ranges of int8 hold too; None for no others.
    """

    stages: tuple[Stage, ...]
    augment: Augment | None = None
    teach: Callable[[NDArray[np.float32], NDArray[Any]], tuple[NDArray[np.float32], NDArray[Any]]] | None = None
    half_width: float | None = None
    finish: Callable[[Any, NDArray[np.float32]], Any] | None = None
    solve: Callable[[Any], Curves] | None = None
    span: NDArray[np.float32] | None = None
    beside: tuple[Stage, ...] = ()


class Task(Protocol):
    """One thing a wearable may be asked to tell; instances hold no state."""

    @property
    def name(self) -> str:
        """As on the command line."""

    @property
    def summary(self) -> str:
        """One line."""

    @property
    def source(self) -> str:
        """Where its data come from, and their licence."""

    @property
    def whom(self) -> str:
        """What a sample is of, in the plural."""

    @property
    def wearable(self) -> Wearable | None:
        """The wearable whose stages make its features; None where no wearable of this product sees what it sees."""

    @property
    def entry(self) -> str:
        """Name of the signal there that a plan's stages begin with."""

    @property
    def ships(self) -> bool:
        """Whether the data's licence lets a trained model be given away."""

    @property
    def needs_data(self) -> bool:
        """Whether a file is needed; otherwise samples are made."""

    @property
    def variants(self) -> tuple[str, ...]:
        """Values of `Settings.variant`."""

    @property
    def outputs(self) -> int:
        """Numbers the network gives."""

    @property
    def head(self) -> str:
        """Activation of the network's last layer."""

    @property
    def loss(self) -> Any:
        """As Keras takes it."""

    @property
    def more_is_better(self) -> Mapping[str, bool]:
        """Of figures that a single fold has too, whether the greater is the better; the worst fold is told of these."""

    @property
    def settings(self) -> Settings:
        """Defaults."""

    def goals(self, settings: Settings) -> tuple[Goal, ...]:
        """What the int8 model should reach."""

    def load(self, path: Path | None, settings: Settings, quick: bool) -> Samples:
        """All samples of a file, or made ones."""

    def folds(self, samples: Samples, settings: Settings) -> list[Fold]:
        """The split rule."""

    def prepare(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """The signal that a plan's stages begin with, of the features of samples."""

    def plan(self, train: Samples, settings: Settings, seed: int) -> Plan:
        """Stages and augmentation, from the training side alone."""

    def baseline(self, train: Samples, test: Samples, settings: Settings) -> NDArray[np.float32] | None:
        """Outputs of something simpler on the test side, to stand beside the network's; None without one."""

    def metrics(self, samples: Samples, outputs: NDArray[np.float32], settings: Settings) -> dict[str, Any]:
        """Figures of merit of outputs (n, outputs) for these samples; plain numbers, lists and maps."""

    def limits(self, metrics: Mapping[str, Any]) -> tuple[str, ...]:
        """What the figures of a run do not show, as sentences of its card; every number in them comes from the metrics or the code."""


@runtime_checkable
class Alerting(Protocol):
    """What a task has beside, if its wearable alerts at a threshold that training finds."""

    @property
    def specificity(self) -> float:
        """Share of validation samples without what is alerted of that stay below the threshold."""

    def threshold(self, outputs: NDArray[np.float32], validation: Samples) -> float:
        """The threshold that validation samples, which chose nothing but the epoch, give with the int8 model's outputs."""

    def when(self, threshold: float) -> str:
        """The condition of the wearable's first alert."""

    def threshold_of(self, when: str) -> float:
        """Inverse of `when`."""

    def alerted(self, samples: Samples, outputs: NDArray[np.float32], threshold: float) -> dict[str, float]:
        """What an alert at this threshold does on samples with these outputs (n, outputs)."""


@runtime_checkable
class Labelled(Protocol):
    """What a task has beside, if it learns from what people said of recordings of its wearable too."""

    def of_labels(
        self, values: NDArray[np.float32], classes: NDArray[np.int64]
    ) -> tuple[NDArray[np.float32], NDArray[Any]]:
        """Features and targets of samples of its entry (n, *shape) and their classes (n,), as those of its own samples."""

    def classes_said(self, outputs: NDArray[np.float32]) -> NDArray[np.int64]:
        """(n,) classes that outputs (n, outputs) of the network say."""


class Classes:
    """`Labelled` of a task whose features are its entry and whose targets are classes."""

    def of_labels(
        self, values: NDArray[np.float32], classes: NDArray[np.int64]
    ) -> tuple[NDArray[np.float32], NDArray[Any]]:
        """As they are."""
        return values, classes

    def classes_said(self, outputs: NDArray[np.float32]) -> NDArray[np.int64]:
        """The greatest; of a single output the second class from a half on."""
        single = outputs.shape[1] == 1
        return np.asarray(outputs[:, 0] >= 0.5 if single else outputs.argmax(1), np.int64)


@runtime_checkable
class Varied(Protocol):
    """What a task has beside, if its variants do not share all defaults."""

    @property
    def by_variant(self) -> Mapping[str, Mapping[str, object]]:
        """Settings of a variant that differ from `settings`."""


@runtime_checkable
class Contrasted(Protocol):
    """What a task has beside, if its card sets more beside its network than one baseline."""

    def others(self, train: Samples, test: Samples, settings: Settings) -> Mapping[str, NDArray[np.float32]]:
        """Outputs on the test side by what gave them: another method on the same numbers, or `CHANCE`."""


@runtime_checkable
class Compared(Protocol):
    """What a task has beside, if its card sets other variants beside its default one; they are trained with it."""

    @property
    def compared_variants(self) -> tuple[str, ...]:
        """Names of the variants."""


@runtime_checkable
class Examined(Protocol):
    """What a task has beside, if its card tells how a model stands what the data hold little of, such as another camera."""

    def examine(self, samples: Samples, settings: Settings) -> dict[str, Any]:
        """Plain numbers, lists and maps: what `limits` tells of this task's data and cases."""


@dataclass(frozen=True, slots=True)
class Probe:
    """What the very model that is kept says of worlds that neither it nor a sibling learnt from.

    Attributes:
        world: these worlds in words.
        answer: what it does with what it is not made for, as a sentence that a table follows.
        refused: share of samples of a kind, by what they are in words, that it does this with; `world`'s own first.
        ece: expected calibration error of its scores on `world`; None of what is no score.
        told: sentences of the card about what was seen there besides.
    """

    world: str
    answer: str
    refused: Mapping[str, float]
    ece: float | None = None
    told: tuple[str, ...] = ()


@runtime_checkable
class Probed(Protocol):
    """What a task has beside, if its model answers for itself beyond what it was measured on."""

    def probe(self, profile: Profile, stages: tuple[Stage, ...], said: Said, quick: bool) -> Probe:
        """Of the wearable with what was learnt, its stages to the network's input, and the network; `quick` looks at few samples."""


@runtime_checkable
class Scaled(Protocol):
    """What a task has beside, if training ends with its scores made as sure as they are right; see `thermo_models.scaling`."""

    def held_out(self, stages: Sequence[Stage], settings: Settings) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Network inputs (n, ...) and classes (n,) of a world that neither training nor any figure has.

        Args:
            stages: of the wearable, with what was learnt: all of its `Plan`, or of its file.
            settings: of training.
        """


@runtime_checkable
class Ablated(Protocol):
    """What a task has beside, if its card tells what each part of what it sees is worth."""

    def ablate(self, samples: Samples, settings: Settings, quick: bool) -> list[dict[str, Any]]:
        """Rows of `part`, figures by name, and `interval` of the first of them; by a simple method, people left out."""


@runtime_checkable
class Bounded(Protocol):
    """What a task has beside, if its stages flag what is unlike all that was learnt from."""

    def strange(self, samples: Samples) -> Mapping[str, NDArray[np.float32]]:
        """Features (n, ...) of what none of its samples is, by what it is in words, made of samples; from a seed where at random."""


@runtime_checkable
class Foretold(Protocol):
    """What a task has beside, if its card says something before all else, as what it cannot see."""

    def first_lines(self, metrics: Mapping[str, Any]) -> str:
        """Markdown, from the metrics of a run; "" where there is nothing to say."""


@runtime_checkable
class Charted(Protocol):
    """What a task has beside, if a run folder holds pictures of its figures."""

    @property
    def chart_files(self) -> tuple[str, ...]:
        """Names of the pictures."""

    def charts(self, metrics: dict[str, Any]) -> dict[str, str]:
        """SVG by file name, from the metrics of a run."""


@runtime_checkable
class KeepsSamples(Protocol):
    """What a task has beside, if it makes its samples and `load` keeps them in the file it is given."""

    @property
    def keeps_samples(self) -> bool:
        """True."""
