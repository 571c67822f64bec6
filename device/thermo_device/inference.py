"""A bundle's network on the device: bit-exact reference kernels, or fast ones held against them now and then."""

import time
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from thermo_core.bundle import Bundle
from thermo_core.errors import ModelError, UsageError
from thermo_core.features import Features
from thermo_core.tflite.mend import mended
from thermo_core.tflite.verify import verify_model
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
        output: (labels,) int8, as the network gave it.
        scores: (labels,) float32, 0 to 1.
        label: index of the highest output, the first of equal ones.
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
        verify_model(bundle.model)  # the runtime trusts every offset in the file
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
        network = self._fast if self._fast is not None else self._reference
        began_ns = time.perf_counter_ns()
        output = network.run(quantized)
        inference_us = (time.perf_counter_ns() - began_ns) // 1000
        self._counters.add("classified")
        if self._fast is not None:
            self._compare(quantized, output)
        scores = np.clip(self._bundle.output.dequantize(output), np.float32(0), np.float32(1))
        return Classification(output, scores, int(output.argmax()), inference_us)

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
    """One interpreter, checked against the contracts."""

    def __init__(self, bundle: Bundle, resolver: Any) -> None:
        try:
            self._interpreter = Interpreter(
                model_content=mended(bundle.model), experimental_op_resolver_type=resolver, num_threads=1
            )
            self._interpreter.allocate_tensors()
            inputs = self._interpreter.get_input_details()
            outputs = self._interpreter.get_output_details()
        except (ValueError, RuntimeError, SystemError, ImportError) as error:
            cause = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise ModelError(f"The runtime refuses the bundle's model ({cause}); convert and sign it again.") from error
        if len(inputs) != 1 or len(outputs) != 1:
            raise ModelError(
                f"The model has {len(inputs)} inputs and {len(outputs)} outputs; only one of each is supported."
            )
        _check("input", inputs[0], bundle.input.shape, bundle.input.scale, bundle.input.zero_point)
        _check("output", outputs[0], (len(bundle.profile.labels),), bundle.output.scale, bundle.output.zero_point)
        self._input, self._output = inputs[0]["index"], outputs[0]["index"]

    def run(self, quantized: NDArray[np.int8]) -> NDArray[np.int8]:
        """(labels,) int8 for one int8 input; ModelError where the runtime fails."""
        try:
            self._interpreter.set_tensor(self._input, quantized[np.newaxis])
            self._interpreter.invoke()
            output: NDArray[np.int8] = self._interpreter.get_tensor(self._output)[0]
        except (ValueError, RuntimeError) as error:
            raise ModelError(f"The runtime failed to run the model ({error}); install another bundle.") from error
        return output


def _check(name: str, tensor: Any, shape: tuple[int, ...], scale: float, zero_point: int) -> None:
    found = tuple(int(n) for n in tensor["shape"])
    if found != (1, *shape):
        raise ModelError(
            f"The model's {name} has the shape {found}, not {(1, *shape)} as its bundle says; sign it anew."
        )
    if tensor["dtype"] is not np.int8:
        raise ModelError(f"The model's {name} is {np.dtype(tensor['dtype']).name}, not int8; quantise it fully.")
    quantization = tensor["quantization_parameters"]
    scales, zero_points = quantization["scales"], quantization["zero_points"]
    if len(scales) != 1 or np.float32(scale) != scales[0] or zero_points[0] != zero_point:
        raise ModelError(f"The model's {name} is quantised otherwise than its bundle says; sign it anew.")
