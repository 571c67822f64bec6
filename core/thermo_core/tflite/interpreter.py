"""The one interpreter: tflite-runtime where it is installed, ai-edge-litert where not (Python 3.12 and newer)."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermo_core.errors import ModelError, UsageError
from thermo_core.signals import Values
from thermo_core.tflite.ends import ends_of
from thermo_core.tflite.mend import mended
from thermo_core.tflite.verify import verify_model

KERNELS = ("reference", "fast")


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
        self._interpreter = open_interpreter(model, kernels == "reference")
        self._places = [detail["index"] for detail in self._interpreter.get_input_details()]
        self._result = self._interpreter.get_output_details()[0]["index"]

    def infer(self, inputs: Sequence[Values]) -> Values:
        """Outputs for one moment, float32."""
        return self.output.dequantize(self.run([end.quantize(x) for end, x in zip(self.inputs, inputs, strict=True)]))

    def predict(self, inputs: Sequence[Values]) -> Values:
        """Outputs (n, *shape), float32, of real inputs (n, *shape of each), float32, in the order of the network's."""
        quantized = [end.quantize(values) for end, values in zip(self.inputs, inputs, strict=True)]
        return self.output.dequantize(np.stack([self.run(moment) for moment in zip(*quantized, strict=True)]))

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


def open_interpreter(model: bytes, reference: bool) -> Any:
    """An interpreter with its tensors allocated, of a model that `verify_model` accepted.

    Raises:
        ModelError: the runtime refuses it.
        UsageError: no runtime is installed.
    """
    interpreter_type, resolvers = _runtime()
    resolver = resolvers.BUILTIN_REF if reference else resolvers.AUTO
    try:
        interpreter = interpreter_type(
            model_content=mended(model), experimental_op_resolver_type=resolver, num_threads=1
        )
        interpreter.allocate_tensors()
    except (ValueError, RuntimeError, SystemError, ImportError) as error:
        cause = (str(error).splitlines() or [type(error).__name__])[0]
        raise ModelError(f"The runtime refuses the network ({cause}); convert and sign it again.") from error
    return interpreter


def _runtime() -> tuple[Any, Any]:
    try:
        from tflite_runtime.interpreter import Interpreter, OpResolverType
    except ImportError:
        try:
            from ai_edge_litert.interpreter import Interpreter, OpResolverType
        except ImportError as error:
            raise UsageError(
                "No TensorFlow Lite runtime is installed, so no network can run; install thermo-edge with locks/device.txt."
            ) from error
    return Interpreter, OpResolverType
