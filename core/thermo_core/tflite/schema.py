"""Numbers of the TFLite schema (version 3): tensor types, operators, and the fields of their options."""

from dataclasses import dataclass
from enum import IntEnum


class TensorType(IntEnum):
    """Element types."""

    FLOAT32 = 0
    FLOAT16 = 1
    INT32 = 2
    UINT8 = 3
    INT64 = 4
    STRING = 5
    BOOL = 6
    INT16 = 7
    COMPLEX64 = 8
    INT8 = 9
    FLOAT64 = 10
    COMPLEX128 = 11
    UINT64 = 12
    RESOURCE = 13
    VARIANT = 14
    UINT32 = 15
    UINT16 = 16
    INT4 = 17
    BFLOAT16 = 18

    @property
    def size(self) -> int | None:
        """Bytes of an element, or None where elements have no fixed number of bytes."""
        return _SIZES.get(self)


_SIZES = {
    TensorType.FLOAT32: 4,
    TensorType.FLOAT16: 2,
    TensorType.INT32: 4,
    TensorType.UINT8: 1,
    TensorType.INT64: 8,
    TensorType.BOOL: 1,
    TensorType.INT16: 2,
    TensorType.COMPLEX64: 8,
    TensorType.INT8: 1,
    TensorType.FLOAT64: 8,
    TensorType.COMPLEX128: 16,
    TensorType.UINT64: 8,
    TensorType.UINT32: 4,
    TensorType.UINT16: 2,
    TensorType.BFLOAT16: 2,
}


class Activation(IntEnum):
    """Activation fused into an operator."""

    NONE = 0
    RELU = 1
    RELU_N1_TO_1 = 2
    RELU6 = 3
    TANH = 4
    SIGN_BIT = 5


class Padding(IntEnum):
    """Border rule of convolutions and pools."""

    SAME = 0
    VALID = 1


# In the order of enum BuiltinOperator, from 0.
_OPERATORS = """
ADD AVERAGE_POOL_2D CONCATENATION CONV_2D DEPTHWISE_CONV_2D DEPTH_TO_SPACE DEQUANTIZE EMBEDDING_LOOKUP FLOOR
FULLY_CONNECTED HASHTABLE_LOOKUP L2_NORMALIZATION L2_POOL_2D LOCAL_RESPONSE_NORMALIZATION LOGISTIC LSH_PROJECTION LSTM
MAX_POOL_2D MUL RELU RELU_N1_TO_1 RELU6 RESHAPE RESIZE_BILINEAR RNN SOFTMAX SPACE_TO_DEPTH SVDF TANH CONCAT_EMBEDDINGS
SKIP_GRAM CALL CUSTOM EMBEDDING_LOOKUP_SPARSE PAD UNIDIRECTIONAL_SEQUENCE_RNN GATHER BATCH_TO_SPACE_ND SPACE_TO_BATCH_ND
TRANSPOSE MEAN SUB DIV SQUEEZE UNIDIRECTIONAL_SEQUENCE_LSTM STRIDED_SLICE BIDIRECTIONAL_SEQUENCE_RNN EXP TOPK_V2 SPLIT
LOG_SOFTMAX DELEGATE BIDIRECTIONAL_SEQUENCE_LSTM CAST PRELU MAXIMUM ARG_MAX MINIMUM LESS NEG PADV2 GREATER GREATER_EQUAL
LESS_EQUAL SELECT SLICE SIN TRANSPOSE_CONV SPARSE_TO_DENSE TILE EXPAND_DIMS EQUAL NOT_EQUAL LOG SUM SQRT RSQRT SHAPE POW
ARG_MIN FAKE_QUANT REDUCE_PROD REDUCE_MAX PACK LOGICAL_OR ONE_HOT LOGICAL_AND LOGICAL_NOT UNPACK REDUCE_MIN FLOOR_DIV
REDUCE_ANY SQUARE ZEROS_LIKE FILL FLOOR_MOD RANGE RESIZE_NEAREST_NEIGHBOR LEAKY_RELU SQUARED_DIFFERENCE MIRROR_PAD ABS
SPLIT_V UNIQUE CEIL REVERSE_V2 ADD_N GATHER_ND COS WHERE RANK ELU REVERSE_SEQUENCE MATRIX_DIAG QUANTIZE MATRIX_SET_DIAG
ROUND HARD_SWISH IF WHILE NON_MAX_SUPPRESSION_V4 NON_MAX_SUPPRESSION_V5 SCATTER_ND SELECT_V2 DENSIFY SEGMENT_SUM
BATCH_MATMUL PLACEHOLDER_FOR_GREATER_OP_CODES CUMSUM CALL_ONCE BROADCAST_TO RFFT2D CONV_3D IMAG REAL COMPLEX_ABS
HASHTABLE HASHTABLE_FIND HASHTABLE_IMPORT HASHTABLE_SIZE REDUCE_ALL CONV_3D_TRANSPOSE VAR_HANDLE READ_VARIABLE
ASSIGN_VARIABLE BROADCAST_ARGS RANDOM_STANDARD_NORMAL BUCKETIZE RANDOM_UNIFORM MULTINOMIAL GELU DYNAMIC_UPDATE_SLICE
RELU_0_TO_1 UNSORTED_SEGMENT_PROD UNSORTED_SEGMENT_MAX UNSORTED_SEGMENT_SUM ATAN2 UNSORTED_SEGMENT_MIN SIGN BITCAST
BITWISE_XOR RIGHT_SHIFT
""".split()

CUSTOM = _OPERATORS.index("CUSTOM")


def operator_name(code: int) -> str:
    """The operator's name in the schema."""
    return _OPERATORS[code] if 0 <= code < len(_OPERATORS) else f"operator {code}"


def operator_code(name: str) -> int:
    """The operator's number in the schema."""
    return _OPERATORS.index(name)


@dataclass(frozen=True)
class OptionField:
    """One scalar field of an options table: its index, struct format and default."""

    name: str
    index: int
    format: str
    default: int | float = 0


def _fields(**described: str) -> tuple[OptionField, ...]:
    found = []
    for name, text in described.items():
        index, format_, *default = text.split()
        found.append(OptionField(name, int(index), format_, float(default[0]) if default else 0))
    return tuple(found)


_CONV = _fields(padding="0 b", stride_w="1 i", stride_h="2 i", activation="3 b", dilation_w="4 i 1", dilation_h="5 i 1")
_POOL = _fields(padding="0 b", stride_w="1 i", stride_h="2 i", filter_w="3 i", filter_h="4 i", activation="5 b")
_REDUCE = _fields(keep_dims="0 B")
_SLICE = _fields(
    begin_mask="0 i", end_mask="1 i", ellipsis_mask="2 i", new_axis_mask="3 i", shrink_axis_mask="4 i", offset="5 B"
)

# Operator -> (number of its table in union BuiltinOptions, scalar fields).
OPTIONS: dict[str, tuple[int, tuple[OptionField, ...]]] = {
    "CONV_2D": (1, _CONV),
    "DEPTHWISE_CONV_2D": (
        2,
        _fields(
            padding="0 b",
            stride_w="1 i",
            stride_h="2 i",
            depth_multiplier="3 i",
            activation="4 b",
            dilation_w="5 i 1",
            dilation_h="6 i 1",
        ),
    ),
    "AVERAGE_POOL_2D": (5, _POOL),
    "MAX_POOL_2D": (5, _POOL),
    "FULLY_CONNECTED": (8, _fields(activation="0 b", weights_format="1 b", keep_num_dims="2 B")),
    "SOFTMAX": (9, _fields(beta="0 f")),
    "CONCATENATION": (10, _fields(axis="0 i", activation="1 b")),
    "ADD": (11, _fields(activation="0 b", pot_scale_int16="1 B 1")),
    "L2_NORMALIZATION": (12, _fields(activation="0 b")),
    "RESIZE_BILINEAR": (15, _fields(align_corners="2 B", half_pixel_centers="3 B")),
    "SPACE_TO_DEPTH": (19, _fields(block_size="0 i")),
    "MUL": (21, _fields(activation="0 b")),
    "GATHER": (23, _fields(axis="0 i", batch_dims="1 i")),
    "MEAN": (27, _REDUCE),
    "REDUCE_MAX": (27, _REDUCE),
    "REDUCE_MIN": (27, _REDUCE),
    "REDUCE_PROD": (27, _REDUCE),
    "SUM": (27, _REDUCE),
    "SUB": (28, _fields(activation="0 b", pot_scale_int16="1 B 1")),
    "SQUEEZE": (30, ()),
    "STRIDED_SLICE": (32, _SLICE),
    "SPLIT": (35, _fields(num_splits="0 i")),
    "SPLIT_V": (79, _fields(num_splits="0 i")),
    "UNIDIRECTIONAL_SEQUENCE_LSTM": (71, _fields(activation="0 b", cell_clip="1 f", proj_clip="2 f", time_major="3 B")),
    "TRANSPOSE_CONV": (49, _fields(padding="0 b", stride_w="1 i", stride_h="2 i", activation="3 b")),
    "SHAPE": (55, _fields(out_type="0 b")),
    "PACK": (59, _fields(values_count="0 i", axis="1 i")),
    "UNPACK": (64, _fields(num="0 i", axis="1 i")),
    "RESIZE_NEAREST_NEIGHBOR": (74, _fields(align_corners="0 B", half_pixel_centers="1 B")),
    "LEAKY_RELU": (75, _fields(alpha="0 f")),
    "MIRROR_PAD": (77, _fields(mode="0 b")),
    "DEPTH_TO_SPACE": (94, _fields(block_size="0 i")),
    "BATCH_MATMUL": (101, _fields(adjoint_x="0 B", adjoint_y="1 B")),
    "GELU": (116, _fields(approximate="0 B")),
}

LISTS: dict[str, dict[str, int]] = {"SQUEEZE": {"squeeze_dims": 0}}
"""Operator -> lists of whole numbers in its options table: name and index of the field."""
