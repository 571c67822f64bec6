"""The exact int8 result: tflite-runtime's BUILTIN_REF kernels, the oracle every other engine is compared with."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermo_core.contract import InputContract, OutputContract
from thermo_core.errors import ModelError
from thermo_core.tflite.mend import mended
from thermo_core.tflite.verify import verify_model


def _interpreter(model: bytes) -> Any:
    try:
        from tflite_runtime.interpreter import Interpreter, OpResolverType
    except ModuleNotFoundError:
        from ai_edge_litert.interpreter import Interpreter, OpResolverType
    return Interpreter(model_content=mended(model), experimental_op_resolver_type=OpResolverType.BUILTIN_REF)


class Reference:
    """An int8 model with one input and one output, run by reference kernels.

    Args:
        model: a .tflite file.

    Raises:
        ModelError: the model is malformed, or not int8 at both ends.
    """

    def __init__(self, model: bytes) -> None:
        verify_model(model)
        self._interpreter = _interpreter(model)
        self._interpreter.allocate_tensors()
        ends = self._interpreter.get_input_details() + self._interpreter.get_output_details()
        if len(ends) != 2 or any(end["dtype"] != np.int8 for end in ends):
            raise ModelError("The model must have one int8 input and one int8 output, so quantise it fully to int8.")
        self._ends = ends
        scale, zero_point = ends[0]["quantization"]
        self.input = InputContract(tuple(int(n) for n in ends[0]["shape"][1:]), float(scale), int(zero_point))
        scale, zero_point = ends[1]["quantization"]
        self.output = OutputContract(float(scale), int(zero_point))

    def run(self, quantized: NDArray[np.int8]) -> NDArray[np.int8]:
        """Outputs, (n, classes) int8, of inputs (n, *shape) int8."""
        outputs = []
        for sample in quantized:
            self._interpreter.set_tensor(self._ends[0]["index"], sample[np.newaxis])
            self._interpreter.invoke()
            outputs.append(self._interpreter.get_tensor(self._ends[1]["index"])[0])
        return np.stack(outputs)

    def scores(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Scores, (n, classes) float32, of real features (n, *shape) float32."""
        return self.output.dequantize(self.run(self.input.quantize(features)))
