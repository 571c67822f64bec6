"""The one interpreter: tflite-runtime where it is installed, ai-edge-litert where not (Python 3.12 and newer)."""

import importlib
import importlib.util
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermo_core.errors import ModelError, UsageError
from thermo_core.signals import Values
from thermo_core.tflite.ends import ends_of
from thermo_core.tflite.mend import mended
from thermo_core.tflite.scope import REQUANTISE
from thermo_core.tflite.verify import verify_model

KERNELS = {"reference": "BUILTIN_REF", "fast": "AUTO"}
"""Resolvers of a runtime by what a wearable calls its kernels."""
RUNTIMES = ("tflite_runtime", "ai_edge_litert")


class Int8Network:
    """A network that is ready to run; see `graph.network.Network`.

    Args:
        model: a .tflite file; it is verified before any runtime sees it.
        kernels: "reference" is bit-exact with TensorFlow Lite's reference kernels, "fast" is not.

    Raises:
        ModelError: it is malformed, has ends a wearable cannot run, or the runtime refuses it.
        UsageError: no such kernels, or no runtime is installed.

    Attributes:
        inputs, output: its ends.
    """

    def __init__(self, model: bytes, kernels: str = "reference") -> None:
        if kernels not in KERNELS:
            raise UsageError(f"There are no {kernels} kernels; choose {' or '.join(KERNELS)}.")
        self.inputs, self.output = ends_of(verify_model(model).model)
        self._interpreter = open_interpreter(model, KERNELS[kernels])
        self._places = [detail["index"] for detail in self._interpreter.get_input_details()]
        self._result = self._interpreter.get_output_details()[0]["index"]

    def infer(self, inputs: Sequence[Values]) -> Values:
        """Outputs for one moment, float32."""
        return self.output.dequantize(self.run([end.quantize(x) for end, x in zip(self.inputs, inputs, strict=True)]))

    def predict(self, inputs: Sequence[Values]) -> Values:
        """Outputs (n, *shape), float32, of real inputs (n, *shape of each), float32, in the order of the network's."""
        quantized = [end.quantize(values) for end, values in zip(self.inputs, inputs, strict=True)]
        return self.output.dequantize(np.stack([self.run(moment) for moment in zip(*quantized, strict=True)]))

    def repeats(self, inputs: Sequence[bytes], output: bytes) -> bool:
        """Whether int8 inputs give that int8 output, bit for bit.

        Raises:
            ModelError: they are of other sizes than the network's, or the runtime fails.
        """
        return self.run([np.frombuffer(values, np.int8) for values in inputs]).tobytes() == output

    def run(self, inputs: Sequence[NDArray[np.int8]]) -> NDArray[np.int8]:
        """Int8 in, int8 out; inputs of the ends' shapes or as many numbers.

        Raises:
            ModelError: the runtime fails.
        """
        try:
            for place, end, values in zip(self._places, self.inputs, inputs, strict=True):
                self._interpreter.set_tensor(place, values.reshape(1, *end.shape))
            self._interpreter.invoke()
            output: NDArray[np.int8] = self._interpreter.get_tensor(self._result)[0].copy()
        except (ValueError, RuntimeError) as error:
            raise ModelError(f"The runtime failed to run the network ({error}); install another bundle.") from error
        return output


def open_interpreter(model: bytes, resolver: str, runtime: str | None = None) -> Any:
    """An interpreter with its tensors allocated, of a model that `verify_model` accepted.

    Args:
        model: a .tflite file.
        resolver: one of the runtime's OpResolverType, which says whose kernels compute.
        runtime: one of `RUNTIMES`; None takes the first that is installed.

    Raises:
        ModelError: the runtime refuses it.
        UsageError: no such runtime is installed.
    """
    name = runtime or next((one for one in RUNTIMES if installed(one)), RUNTIMES[0])
    try:
        module = importlib.import_module(f"{name}.interpreter")
    except ImportError as error:
        raise UsageError(
            f"No {name} is installed, so no network can run; run `.venv/bin/pip install --require-hashes -r locks/device.txt` in "
            "the folder thermo-edge was cloned into."
        ) from error
    try:
        interpreter = module.Interpreter(
            model_content=mended(model),
            experimental_op_resolver_type=getattr(module.OpResolverType, resolver),
            num_threads=1,
        )
        interpreter.allocate_tensors()
    except (ValueError, RuntimeError, SystemError) as error:
        cause = (str(error).splitlines() or [type(error).__name__])[0]
        raise ModelError(f"The runtime {name} refuses the network ({cause}); {REQUANTISE}.") from error
    return interpreter


def installed(runtime: str) -> bool:
    """Whether a runtime can be imported."""
    return importlib.util.find_spec(runtime) is not None
