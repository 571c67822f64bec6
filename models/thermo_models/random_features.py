"""A network of one hidden layer whose hidden weights are drawn and whose last layer is solved for: no gradient descent.

With weights drawn from N(0, variance) and a ridge on the last layer this is Gaussian-process regression with the arc-cosine
kernel (Cho & Saul 2009; Rahimi & Recht 2008), of as many features as there are hidden units. What is believed beforehand stands
in the variances: an input that is believed to tell little gets small weights. Drawing in orthogonal blocks makes fewer units do
(Yu et al. 2016, arXiv:1610.09072).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve

Array = NDArray[np.float64]
NEWTON_STEPS = 12


@dataclass(frozen=True, slots=True)
class Prior:
    """What is believed of the weights.

    Attributes:
        views: weights (d,) of the inputs and a length over which the function bends, each; units are dealt to them in turn.
            Where it is not known which is right, several lose little against the best of them.
        smooth: variance of what the hidden layer adds.
        linear: variance of what the inputs themselves add.
        noise: variance of a target around what the inputs tell; a class needs none.
    """

    views: tuple[tuple[Array, float], ...]
    smooth: float
    linear: float
    noise: float

    def scales(self) -> list[Array]:
        """Standard deviation (d,) of the weights of a view's units, each."""
        return [weights / np.sqrt(np.sum(np.square(weights))) / length for weights, length in self.views]


@dataclass(frozen=True, slots=True)
class Hidden:
    """The drawn layer: relu(inputs @ kernel + bias), of (d, units) and (units,)."""

    kernel: Array
    bias: Array

    @classmethod
    def draw(cls, prior: Prior, units: int, seed: int) -> "Hidden":
        """Weights at random, on the grid that eight bits round them to, so that rounding them changes nothing."""
        rng = np.random.default_rng([seed, 0xD4])
        scales = prior.scales()
        size = len(scales[0])
        blocks = []
        for _ in range(-(-units // size)):
            rotation, _ = np.linalg.qr(rng.standard_normal((size, size)))
            blocks.append(rotation * np.sqrt(rng.chisquare(size, (size, 1))))
        rows = np.concatenate(blocks)[:units]
        kernel = (rows * np.stack([scales[i % len(scales)] for i in range(units)])).T
        grid = np.abs(kernel).max() / 127
        return cls(np.rint(kernel / grid) * grid, rng.standard_normal(units))


@dataclass(frozen=True, slots=True)
class Solved:
    """The whole function: concatenate(inputs, hidden layer) @ weights + bias; its logistic for classes."""

    hidden: Hidden
    weights: Array
    bias: float

    @classmethod
    def of(cls, hidden: Hidden, prior: Prior, inputs: Array, targets: Array, copies: int = 1) -> "Solved":
        """The ridge regression of targets (n,) on inputs (n, d), which may hold each sample several times, changed each time."""
        return Posterior.of(hidden, prior, inputs, targets, copies).solved

    @classmethod
    def of_classes(
        cls, hidden: Hidden, prior: Prior, inputs: Array, positive: NDArray[np.bool_], balance: bool = True
    ) -> "Solved":
        """The penalised logistic regression of two classes on inputs (n, d), by Newton's method.

        Args:
            hidden: the drawn layer.
            prior: of the weights.
            inputs: (n, d).
            positive: (n,) which of them are of the second class.
            balance: let each class weigh the same; otherwise what is said is a chance where classes are as common as here.
        """
        deviation = _deviations(hidden, prior)
        features = np.column_stack([_features(hidden, inputs) * deviation, np.ones(len(inputs))])
        shares = np.where(positive, positive.mean(), 1 - positive.mean())
        weight = 0.5 / shares if balance else np.ones(len(positive))
        # The bias is all but free.
        penalty = np.append(np.ones(len(deviation)), 1e-6)
        found = np.zeros(len(penalty))
        for _ in range(NEWTON_STEPS):
            probability = 1 / (1 + np.exp(-features @ found))
            gradient = features.T @ (weight * (probability - positive)) + penalty * found
            curvature = weight * probability * (1 - probability)
            found -= np.linalg.solve((features.T * curvature) @ features + np.diag(penalty), gradient)
        return cls(hidden, deviation * found[:-1], float(found[-1]))

    def put_into(self, network: Any) -> None:
        """Set the weights of a `dense_residual` of this size."""
        put_together(network, (self,))

    def times(self, factor: float) -> "Solved":
        """The function times a factor."""
        return Solved(self.hidden, factor * self.weights, factor * self.bias)

    def __call__(self, inputs: Array) -> Array:
        """(m,) values at inputs (m, d)."""
        values: Array = _features(self.hidden, inputs) @ self.weights + self.bias
        return values


@dataclass(frozen=True, slots=True)
class Posterior:
    """A function that was solved for, and how unsure it is of itself: little near samples that it was learnt from, more far away."""

    solved: Solved
    _centre: Array
    _deviation: Array
    _known: Array
    _factor: tuple[Array, bool]

    @classmethod
    def of(cls, hidden: Hidden, prior: Prior, inputs: Array, targets: Array, copies: int = 1) -> "Posterior":
        """See `Solved.of`."""
        features, deviation = _features(hidden, inputs), _deviations(hidden, prior)
        centre, mean = features.mean(0), float(targets.mean())
        known = (features - centre) * deviation
        factor = cho_factor(known @ known.T + prior.noise * copies * np.eye(len(inputs)))
        weights = deviation * (known.T @ cho_solve(factor, targets - mean))
        return cls(Solved(hidden, weights, mean - float(centre @ weights)), centre, deviation, known, factor)

    def variance(self, inputs: Array) -> Array:
        """(m,) of the function at inputs (m, d), without the noise of a target."""
        asked = (_features(self.solved.hidden, inputs) - self._centre) * self._deviation
        told = asked @ self._known.T
        found: Array = np.square(asked).sum(1) - np.sum(told * cho_solve(self._factor, told.T).T, axis=1)
        return np.maximum(found, 0.0)


def put_together(network: Any, functions: Sequence[Solved]) -> None:
    """Set the weights of a `dense_residual` of one output a function; all share its hidden layer."""
    first, last = (layer for layer in network.layers if layer.get_weights())
    first.set_weights([functions[0].hidden.kernel, functions[0].hidden.bias])
    last.set_weights([np.stack([one.weights for one in functions], axis=1), np.array([one.bias for one in functions])])


@dataclass(frozen=True, slots=True)
class SolvedClasses:
    """The function of several classes: softmax of concatenate(inputs, hidden layer) @ weights + bias."""

    hidden: Hidden
    weights: Array
    bias: Array

    @classmethod
    def of(
        cls, hidden: Hidden, prior: Prior, inputs: Array, targets: NDArray[np.int64], classes: int
    ) -> "SolvedClasses":
        """The penalised multinomial logistic regression on inputs (n, d) of targets (n,), each class weighing the same."""
        from scipy.optimize import minimize

        deviation = _deviations(hidden, prior)
        features = np.column_stack([_features(hidden, inputs) * deviation, np.ones(len(inputs))])
        counts = np.bincount(targets, minlength=classes)
        weight = (len(targets) / (classes * np.maximum(counts, 1)))[targets][:, np.newaxis]
        wanted = np.eye(classes)[targets]
        # The bias is all but free.
        penalty = np.append(np.ones(len(deviation)), 1e-6)[:, np.newaxis]

        def loss(flat: Array) -> tuple[float, Array]:
            found = flat.reshape(-1, classes)
            logits = features @ found
            logits -= logits.max(1, keepdims=True)
            shares = np.exp(logits)
            total = shares.sum(1, keepdims=True)
            value = float(np.sum(weight * wanted * (np.log(total) - logits)) + 0.5 * np.sum(penalty * np.square(found)))
            gradient = features.T @ (weight * (shares / total - wanted)) + penalty * found
            return value, gradient.ravel()

        start = np.zeros(features.shape[1] * classes)
        found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 400}).x.reshape(-1, classes)
        return cls(hidden, deviation[:, np.newaxis] * found[:-1], found[-1])

    def put_into(self, network: Any) -> None:
        """Set the weights of a `dense_residual` of this size."""
        first, last = (layer for layer in network.layers if layer.get_weights())
        first.set_weights([self.hidden.kernel, self.hidden.bias])
        last.set_weights([self.weights, self.bias])

    def __call__(self, inputs: Array) -> Array:
        """(m, classes) scores at inputs (m, d)."""
        logits = _features(self.hidden, inputs) @ self.weights + self.bias
        shares = np.exp(logits - logits.max(1, keepdims=True))
        scores: Array = shares / shares.sum(1, keepdims=True)
        return scores


def _deviations(hidden: Hidden, prior: Prior) -> Array:
    """(d + units,) standard deviations of the last layer's weights."""
    units = len(hidden.bias)
    own = [weights / np.sqrt(np.sum(np.square(weights))) for weights, _ in prior.views]
    return np.concatenate([np.sqrt(prior.linear) * np.mean(own, axis=0), np.full(units, np.sqrt(prior.smooth / units))])


def _features(hidden: Hidden, inputs: Array) -> Array:
    return np.concatenate([inputs, np.maximum(inputs @ hidden.kernel + hidden.bias, 0)], axis=1)
