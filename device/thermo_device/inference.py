"""A bundle's network on the device: bit-exact reference kernels, or fast ones held against them now and then."""

import time
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from thermo_core.bundle import Bundle
from thermo_core.contract import INT8_MAX, INT8_MIN
from thermo_core.errors import ModelError, UsageError
from thermo_core.features import Features
from thermo_core.scores import scores_of
from thermo_core.tflite.mend import mended
from thermo_core.wearable_model import check_contract
from thermo_device.counters import Counters

try:
    from tflite_runtime.interpreter import Interpreter, OpResolverType
except ImportError:  # Python 3.12 and later have no tflite-runtime
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

Kernels = Literal["reference", "fast"]
KERNELS: tuple[Kernels, ...] = ("reference", "fast")
COMPARE_EVERY = 32
"""Fast kernels: every so many pictures are classified by the reference too."""
_GOLDEN_SEED = 2024


@dataclass(frozen=True, slots=True)
class Classification:
    """What the network said of one picture.

    Attributes:
        output: (outputs,) int8, as the network gave it.
        scores: (labels,) float32, 0 to 1; see `thermo_core.scores.scores_of`.
        label: index of the highest score, the first of equal ones.
        inference_us: real time of the network alone, microseconds.
    """

    output: NDArray[np.int8]
    scores: NDArray[np.float32]
    label: int
    inference_us: int


class Classifier:
    """Runs the model of a bundle whose signature was verified; only such a bundle may be passed.

    Args:
        bundle: model, contracts and labels.
        kernels: "reference" is BUILTIN_REF, whose results every device shares bit for bit; "fast" is the runtime's
            default, whose results may differ by a step or so.
        counters: where classifications, comparisons and disagreements are counted.
        compare_every: with fast kernels, how many pictures from one comparison to the next.

    Raises:
        ModelError: the model is malformed, the runtime refuses it, or its tensors are not what the contracts say.
        UsageError: no such kernels.
    """

    def __init__(
        self,
        bundle: Bundle,
        kernels: str = "reference",
        counters: Counters | None = None,
        compare_every: int = COMPARE_EVERY,
    ) -> None:
        if kernels not in KERNELS:
            raise UsageError(f"There are no {kernels!r} kernels; use {' or '.join(KERNELS)}.")
        self._bundle = bundle
        self._counters = counters if counters is not None else Counters()
        self._compare_every = compare_every
        self._since_comparison = 0
        check_contract(bundle)  # the runtime trusts every offset in the file
        self._reference = _Network(bundle, OpResolverType.BUILTIN_REF)
        self._fast = _Network(bundle, OpResolverType.AUTO) if kernels == "fast" else None
        self._golden_output = self._reference.run(self._golden_input())

    @property
    def fast(self) -> bool:
        """Whether fast kernels are in use."""
        return self._fast is not None

    def classify(self, features: Features) -> Classification:
        """Classify one picture's features.

        Args:
            features: as the bundle's input contract says, float32.

        Raises:
            ModelError: the shape is wrong, a feature is not finite, or the runtime fails.
        """
        quantized = self._bundle.input.quantize(features)
        result = self._run(quantized)
        self._counters.add("classified")
        if self._fast is not None:
            self._compare(quantized, result.output)
        return result

    def rehearse(self, features: Features) -> tuple[Classification, float]:
        """As `classify`, uncounted, with the share of features at either end of what the input holds."""
        quantized = self._bundle.input.quantize(features)
        return self._run(quantized), float(np.mean((quantized == INT8_MIN) | (quantized == INT8_MAX)))

    def _run(self, quantized: NDArray[np.int8]) -> Classification:
        network = self._fast if self._fast is not None else self._reference
        began_ns = time.perf_counter_ns()
        output = network.run(quantized)
        inference_us = (time.perf_counter_ns() - began_ns) // 1000
        scores = scores_of(self._bundle.output.dequantize(output), len(self._bundle.profile.labels))
        # Outputs order what saturated scores no longer do.
        label = int((output if len(output) == len(scores) else scores).argmax())
        return Classification(output, scores, label, inference_us)

    def self_test(self) -> str:
        """Run a fixed input through the network in use; a sentence on what differs from the first run, or ""."""
        golden = self._golden_input()
        if not np.array_equal(self._reference.run(golden), self._golden_output):
            return "The reference kernels no longer give the result they gave at the start; restart the device."
        if self._fast is None:
            return ""
        steps = np.abs(self._fast.run(golden).astype(int) - self._golden_output.astype(int))
        if int(steps.max()) > 2:
            return f"Fast kernels are {int(steps.max())} steps off the reference; use --kernels reference."
        return ""

    def _compare(self, quantized: NDArray[np.int8], output: NDArray[np.int8]) -> None:
        self._since_comparison -= 1
        if self._since_comparison >= 0:
            return
        self._since_comparison = self._compare_every - 1
        self._counters.add("kernels_compared")
        if not np.array_equal(self._reference.run(quantized), output):
            self._counters.add("kernels_disagreed")

    def _golden_input(self) -> NDArray[np.int8]:
        return np.random.default_rng(_GOLDEN_SEED).integers(-128, 128, self._bundle.input.shape).astype(np.int8)


class _Network:
    """One interpreter of a model that its bundle's contracts describe."""

    def __init__(self, bundle: Bundle, resolver: Any) -> None:
        try:
            self._interpreter = Interpreter(
                model_content=mended(bundle.model), experimental_op_resolver_type=resolver, num_threads=1
            )
            self._interpreter.allocate_tensors()
            self._input = self._interpreter.get_input_details()[0]["index"]
            self._output = self._interpreter.get_output_details()[0]["index"]
        except (ValueError, RuntimeError, SystemError, ImportError) as error:
            cause = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise ModelError(f"The runtime refuses the bundle's model ({cause}); convert and sign it again.") from error

    def run(self, quantized: NDArray[np.int8]) -> NDArray[np.int8]:
        """(outputs,) int8 for one int8 input; ModelError where the runtime fails."""
        try:
            self._interpreter.set_tensor(self._input, quantized[np.newaxis])
            self._interpreter.invoke()
            output: NDArray[np.int8] = self._interpreter.get_tensor(self._output)[0]
        except (ValueError, RuntimeError) as error:
            raise ModelError(f"The runtime failed to run the model ({error}); install another bundle.") from error
        return output
