"""Words of the command line that stand for ways to quantise; without numpy, so that help comes at once."""

from enum import StrEnum


class Scheme(StrEnum):
    """What is stored in how many bits."""

    FLOAT32 = "float32"
    DYNAMIC = "dynamic"
    INT8 = "int8"
    INT8_PER_TENSOR = "int8-per-tensor"
    INT16X8 = "int16x8"
    MIXED = "mixed"
    QAT = "qat"


class Calibrator(StrEnum):
    """How an activation's range is chosen."""

    MINMAX = "minmax"
    PERCENTILE = "percentile"
    MSE = "mse"
    ENTROPY = "entropy"
