"""A bundle's networks on the device: bit-exact reference kernels, or fast ones held against them now and then."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from thermo_core.bundle import SelfTest
from thermo_core.errors import ModelError, UsageError
from thermo_core.graph.plan import Node, Plan
from thermo_core.signals import Values
from thermo_core.tflite.ends import INT8_MAX, INT8_MIN
from thermo_core.tflite.interpreter import KERNELS, Int8Network
from thermo_core.wearable.profile import Model
from thermo_device.counters import Counters

COMPARE_EVERY = 32
"""Fast kernels: every so many inferences are repeated by the reference."""
_GOLDEN_SEED = 2024

_Quantized = list[NDArray[np.int8]]


class ComparedNetwork:
    """Runs one network of a bundle whose signature was verified; only such a one may be passed.

    Args:
        model: a .tflite file.
        kernels: "reference", whose results every device shares bit for bit, or "fast", the runtime's default, whose results may
            differ by a step or so.
        counters: where comparisons and disagreements are counted.
        compare_every: with fast kernels, how many inferences from one comparison to the next.
        self_tests: what the signer's reference kernels made of some inputs.

    Raises:
        ModelError: the network is malformed, has ends a wearable cannot run, the runtime refuses it, or gives other results than the
            signer's.
        UsageError: no such kernels, or no runtime is installed.
    """

    def __init__(
        self,
        model: bytes,
        kernels: str = "reference",
        counters: Counters | None = None,
        compare_every: int = COMPARE_EVERY,
        self_tests: Sequence[SelfTest] = (),
    ) -> None:
        if kernels not in KERNELS:
            raise UsageError(f"There are no {kernels!r} kernels; use {' or '.join(KERNELS)}.")
        self._counters = counters if counters is not None else Counters()
        self._compare_every = compare_every
        self._since_comparison = 0
        self._reference = Int8Network(model)
        self._fast = Int8Network(model, kernels) if kernels != "reference" else None
        self.inputs, self.output = self._reference.inputs, self._reference.output
        self._self_tests = self_tests
        if problem := self._differing():
            raise ModelError(problem)
        self._golden_output = self._reference.run(self._golden_inputs())

    def infer(self, inputs: Sequence[Values]) -> Values:
        """As `graph.network.Network`."""
        quantized = self._quantize(inputs)
        output = self._run(quantized)
        if self._fast is not None:
            self._compare(quantized, output)
        return self.output.dequantize(output)

    def rehearse(self, inputs: Sequence[Values]) -> tuple[Values, float]:
        """As `infer`, uncounted, with the share of features at either end of what the inputs hold."""
        quantized = self._quantize(inputs)
        features = np.concatenate([values.ravel() for values in quantized])
        beyond = float(np.mean((features == INT8_MIN) | (features == INT8_MAX)))
        return self.output.dequantize(self._run(quantized)), beyond

    def self_test(self) -> str:
        """Run a fixed input through the network in use; a sentence on what differs from the first run, or ""."""
        if problem := self._differing():
            return problem
        golden = self._golden_inputs()
        if not np.array_equal(self._reference.run(golden), self._golden_output):
            return "The reference kernels no longer give the result they gave at the start; restart the device."
        if self._fast is None:
            return ""
        steps = np.abs(self._fast.run(golden).astype(int) - self._golden_output.astype(int))
        if int(steps.max()) > 2:
            return f"Fast kernels are {int(steps.max())} steps off the reference; use --kernels reference."
        return ""

    def _quantize(self, inputs: Sequence[Values]) -> _Quantized:
        return [end.quantize(values) for end, values in zip(self.inputs, inputs, strict=True)]

    def _run(self, quantized: _Quantized) -> NDArray[np.int8]:
        return (self._fast if self._fast is not None else self._reference).run(quantized)

    def _compare(self, quantized: _Quantized, output: NDArray[np.int8]) -> None:
        self._since_comparison -= 1
        if self._since_comparison >= 0:
            return
        self._since_comparison = self._compare_every - 1
        self._counters.add("kernels_compared")
        if not np.array_equal(self._reference.run(quantized), output):
            self._counters.add("kernels_disagreed")

    def _differing(self) -> str:
        """What differs from the signer's results, as a sentence; ""."""
        if all(self._reference.repeats(test.inputs, test.output) for test in self._self_tests):
            return ""
        return "The runtime gives other results than its signer's; install the runtime of locks/device.txt, or another bundle."

    def _golden_inputs(self) -> _Quantized:
        rng = np.random.default_rng(_GOLDEN_SEED)
        return [rng.integers(INT8_MIN, INT8_MAX + 1, end.shape).astype(np.int8) for end in self.inputs]


Networks = Mapping[str, ComparedNetwork]
"""By the names of models."""


def open_networks(
    files: Mapping[str, bytes],
    kernels: str,
    counters: Counters,
    self_tests: Mapping[str, Sequence[SelfTest]] | None = None,
) -> Networks:
    """The networks of a bundle, ready to run.

    Raises:
        ModelError, UsageError: as `ComparedNetwork`; the sentence names the model.
    """
    networks = {}
    for name, file in files.items():
        try:
            networks[name] = ComparedNetwork(file, kernels, counters, self_tests=(self_tests or {}).get(name, ()))
        except ModelError as error:
            raise ModelError(f'The network of "{name}": {error}') from error
    return networks


def check_ends(plan: Plan, networks: Networks) -> None:
    """Refuse networks whose inputs are not the signals their models take.

    Raises:
        ModelError: they are not; the sentence says which.
    """
    for node in plan.nodes:
        if isinstance(node.what, Model) and node.what.name in networks:
            _check_inputs(node, node.what.name, networks[node.what.name])


def _check_inputs(node: Node, name: str, network: ComparedNetwork) -> None:
    if len(network.inputs) != len(node.inputs):
        raise ModelError(
            f'The network of "{name}" has {len(network.inputs)} inputs and the model takes {len(node.inputs)} signals; '
            "sign it with the wearable it was trained for."
        )
    for end, signal in zip(network.inputs, node.inputs, strict=True):
        if _long(end.shape) not in (_long(signal.shape), _long((signal.elements,))):
            raise ModelError(
                f'Samples of "{signal.name}" of shape {signal.shape} do not fit an input of {end.shape} of the network of '
                f'"{name}"; sign it with the wearable it was trained for.'
            )


def _long(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(size for size in shape if size > 1)
