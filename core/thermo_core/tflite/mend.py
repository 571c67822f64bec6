"""Puts right what a whole .tflite file may say otherwise than TensorFlow Lite's runtimes take it, with no number changed."""

from thermo_core.tflite.flatbuffer import root

_TENSOR_SHAPE, _TENSOR_QUANTIZATION, _AXIS = 0, 4, 6


def mended(data: bytes) -> bytes:
    """The file as every runtime takes it; the same bytes where there is nothing to mend.

    Biases whose scales name an axis they do not have, which some converters copy from the weights (TensorFlow Lite Micro
    does not look at it), get the one axis they have.

    Args:
        data: a file that `verify_model` accepted.
    """
    changed = bytearray(data)
    for graph in root(data, b"TFL3").tables(2, "graph"):
        for tensor in graph.tables(0, "tensor"):
            quantization = tensor.table(_TENSOR_QUANTIZATION, "quantization")
            shape = tensor.numbers(_TENSOR_SHAPE, "i", "shape")
            at = None if quantization is None else quantization.place(_AXIS, 4)
            if at is not None and len(shape) == 1:
                changed[at : at + 4] = bytes(4)
    return bytes(changed)
