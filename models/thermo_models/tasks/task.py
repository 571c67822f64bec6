"""What a task is: data, split rule, preprocessing, network, metrics and goals."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from thermo_core.profile import Profile
from thermo_models.fit import Augment, Curves
from thermo_models.samples import Fold, Samples, Scaling
from thermo_models.settings import Settings


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
        scaling: learnt from the training side alone.
        augment: changes training batches, scaled like the rest, or None.
        teach: makes training features and targets out of scaled ones, or None to take them as they are.
        finish: makes of the trained network and training inputs the network that is quantised, or None to take it as it is.
        half_width: of the interval around a quantity that 90 % of new people should fall into, or None.
        solve: sets the network's weights in closed form in place of gradient descent and returns the mean square before and
            after, or None.
        described: what else preprocessing.json must say for a device to make the features, ready for JSON.
    """

    scaling: Scaling
    augment: Augment | None = None
    teach: Callable[[NDArray[np.float32], NDArray[Any]], tuple[NDArray[np.float32], NDArray[Any]]] | None = None
    half_width: float | None = None
    finish: Callable[[Any, NDArray[np.float32]], Any] | None = None
    solve: Callable[[Any], Curves] | None = None
    described: dict[str, Any] | None = None


class Task(Protocol):
    """One thing a wearable may be asked to tell; instances hold no state."""

    @property
    def name(self) -> str:
        """As on the command line."""

    @property
    def summary(self) -> str:
        """One line."""

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
        """Features as they are, or brought to the shape the network takes, before scaling."""

    def plan(self, train: Samples, settings: Settings, seed: int) -> Plan:
        """Preprocessing and augmentation, from the training side alone."""

    def baseline(self, train: Samples, test: Samples, settings: Settings) -> NDArray[np.float32] | None:
        """Outputs of something simpler on the test side, to stand beside the network's; None without one."""

    def metrics(self, samples: Samples, outputs: NDArray[np.float32], settings: Settings) -> dict[str, Any]:
        """Figures of merit of outputs (n, outputs) for these samples; plain numbers, lists and maps."""


@runtime_checkable
class Wearable(Protocol):
    """What a task has beside, if its model becomes the signed bundle of a wearable, whose profile does its preprocessing."""

    def wearable(
        self, score: Callable[[Samples], NDArray[np.float32]], validation: Samples, test: Samples
    ) -> tuple[Profile, dict[str, Any]]:
        """The profile, with the threshold that validation samples give, and figures of the test side at that threshold.

        Args:
            score: gives the int8 model's outputs (n, outputs).
            validation: samples that chose nothing but the epoch.
            test: samples to measure on.
        """

    def alerted(self, samples: Samples, outputs: NDArray[np.float32], threshold: float) -> dict[str, float]:
        """What an alert at this threshold does on samples with these outputs (n, outputs)."""


@runtime_checkable
class Varied(Protocol):
    """What a task has beside, if its variants do not share all defaults."""

    @property
    def by_variant(self) -> Mapping[str, Mapping[str, object]]:
        """Settings of a variant that differ from `settings`."""


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
