"""Instruction sets, and which kernel serves a layer on each."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from thermo_core.tflite.schema import TensorType
from thermo_quantize.compiler.emit import dots, dsp, mve, packed
from thermo_quantize.compiler.emit.dsp_conv import dsp_conv
from thermo_quantize.compiler.emit.dsp_depthwise import dsp_depthwise
from thermo_quantize.compiler.emit.dsp_elements import dsp_binary
from thermo_quantize.compiler.emit.kernel import Kernel
from thermo_quantize.compiler.emit.lstm import LstmKernel
from thermo_quantize.compiler.emit.mve_elements import MveLookup, MvePool, mve_binary
from thermo_quantize.compiler.emit.packed_conv import packed_conv
from thermo_quantize.compiler.emit.packed_depthwise import packed_depthwise
from thermo_quantize.compiler.emit.plain_conv import PlainConv, PlainDepthwise, PlainTransposeConv
from thermo_quantize.compiler.emit.plain_elements import (
    PlainBilinear,
    PlainBinary,
    PlainConvert,
    PlainGather,
    PlainLookup,
    PlainMove,
)
from thermo_quantize.compiler.emit.plain_functions import PlainMatMul, PlainNormalise, PlainReduce
from thermo_quantize.compiler.emit.plain_pairs import PAIRS, PlainPairs
from thermo_quantize.compiler.emit.plain_reduce import PlainMean, PlainPool, PlainSoftmax
from thermo_quantize.compiler.emit.streamed import StreamedKernel
from thermo_quantize.compiler.emit.transposed import transposed
from thermo_quantize.compiler.emit.wide_conv import WideConvKernel, WideDepthwiseKernel, WideTransposeConvKernel
from thermo_quantize.compiler.emit.wide_elements import (
    RescaleKernel,
    WideBinaryKernel,
    WideMatMulKernel,
    WideSigmoidKernel,
    WideSoftmaxKernel,
)
from thermo_quantize.compiler.ir import (
    Bilinear,
    Binary,
    Conv,
    Convert,
    Depthwise,
    Gather,
    Layer,
    Lookup,
    Mean,
    Move,
    Pool,
    Softmax,
    Streamed,
    TransposeConv,
)
from thermo_quantize.compiler.ir_functions import MatMul, Normalise, Reduce
from thermo_quantize.compiler.ir_recurrent import Lstm
from thermo_quantize.compiler.ir_wide import (
    Rescale,
    WideBinary,
    WideConv,
    WideDepthwise,
    WideSigmoid,
    WideSoftmax,
    WideTransposeConv,
)

Choice = Callable[[Any], Kernel[Any] | None]


def _plain_binary(layer: Binary) -> Kernel[Binary]:
    return PlainPairs(layer) if layer.operation in PAIRS else PlainBinary(layer)


def _plain_matmul(layer: MatMul) -> Kernel[MatMul]:
    return WideMatMulKernel(layer) if layer.output.type is TensorType.INT16 else PlainMatMul(layer)


_PLAIN: dict[type[Layer], Choice] = {
    Conv: PlainConv,
    Depthwise: PlainDepthwise,
    Pool: PlainPool,
    Mean: PlainMean,
    Softmax: PlainSoftmax,
    Reduce: PlainReduce,
    Normalise: PlainNormalise,
    MatMul: _plain_matmul,
    Binary: _plain_binary,
    Lookup: PlainLookup,
    Move: PlainMove,
    Gather: PlainGather,
    Bilinear: PlainBilinear,
    Convert: PlainConvert,
    Lstm: lambda layer: LstmKernel(layer, dots.PLAIN),
    WideConv: lambda layer: WideConvKernel(layer, dots.PLAIN),
    WideDepthwise: WideDepthwiseKernel,
    WideTransposeConv: WideTransposeConvKernel,
    WideBinary: WideBinaryKernel,
    WideSigmoid: WideSigmoidKernel,
    WideSoftmax: WideSoftmaxKernel,
    Rescale: RescaleKernel,
}

_DSP: dict[type[Layer], Choice] = {
    Conv: dsp_conv,
    Depthwise: dsp_depthwise,
    Binary: dsp_binary,
    Lstm: lambda layer: LstmKernel(layer, dots.DSP),
    WideConv: lambda layer: WideConvKernel(layer, dots.DSP),
}
_PACKED: dict[type[Layer], Choice] = {
    Conv: packed_conv,
    Depthwise: packed_depthwise,
}
_MVE: dict[type[Layer], Choice] = {
    Conv: mve.MveConv,
    Depthwise: mve.MveDepthwise,
    Binary: mve_binary,
    Lookup: MveLookup,
    Pool: MvePool,
}


@dataclass(frozen=True)
class Target:
    """A kind of processor.

    Attributes:
        name: as the user gives it.
        summary: which processors these are.
        special: kernels that are better than plain C.
        guard: C before everything else.
        padding: bytes a kernel may read past a value's end.
        flags: of arm-none-eabi-gcc; empty where the processor is unknown.
    """

    name: str
    summary: str
    special: dict[type[Layer], Choice]
    guard: str = ""
    padding: int = 0
    flags: str = ""

    def kernel(self, layer: Layer) -> Kernel[Any]:
        """The fastest kernel that can do the layer."""
        if isinstance(layer, Streamed):
            tail = self.kernel(layer.tail) if layer.tail is not None else None
            inner = replace(layer.row, window=replace(layer.row.window, pad_h=0))
            row, typical = self.kernel(layer.row), self.kernel(inner)
            return StreamedKernel(layer, row, self.kernel(layer.band), tail, self.padding, typical.instructions)
        if isinstance(layer, TransposeConv):
            return transposed(layer, self.kernel, self.padding) or PlainTransposeConv(layer)
        chosen = self.special[type(layer)](layer) if type(layer) in self.special else None
        kernel = chosen if chosen is not None else _PLAIN[type(layer)](layer)
        assert kernel is not None
        return kernel


_M4, _M7, _M33 = (
    "-mcpu=cortex-m4 -mfpu=fpv4-sp-d16",
    "-mcpu=cortex-m7 -mfpu=fpv5-d16",
    "-mcpu=cortex-m33 -mfpu=fpv5-sp-d16",
)
_HARD = "-mfloat-abi=hard -mthumb"

TARGETS = {
    target.name: target
    for target in (
        Target("generic", "any C11 compiler", {}),
        Target("m4", "Cortex-M4", _DSP, dsp.GUARD.strip(), 8, f"{_M4} {_HARD}"),
        Target("m7", "Cortex-M7", _DSP, dsp.GUARD.strip(), 8, f"{_M7} {_HARD}"),
        Target("m33", "Cortex-M33 with DSP extension", _DSP, dsp.GUARD.strip(), 8, f"{_M33} {_HARD}"),
        Target("m55", "Cortex-M55 and M85 with MVE", _MVE, mve.GUARD.strip(), 16, f"-mcpu=cortex-m55 {_HARD}"),
        Target("m0", "Cortex-M0, M23", {}, flags="-mcpu=cortex-m0 -mthumb"),
        Target("m0plus", "Cortex-M0+", _PACKED, packed.GUARD.strip(), flags="-mcpu=cortex-m0plus -mthumb"),
    )
}
