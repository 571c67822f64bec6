"""A .tflite file as plain frozen data: tensors, operators and their options, every reference checked."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from thermo_core.errors import ModelError
from thermo_core.tflite import schema
from thermo_core.tflite.flatbuffer import Table, contradictory, damaged, root
from thermo_core.tflite.schema import TensorType

_IDENTIFIER = b"TFL3"
_MAX_DIMENSIONS = 8
_MAX_ELEMENTS = 1 << 28
_MAX_NAME = 80
_CONTROL = frozenset({"CALL", "CALL_ONCE", "IF", "WHILE"})


@dataclass(frozen=True)
class Quantization:
    """real = scale * (q - zero_point), one pair a tensor or one a slice along `axis`; of one axis, whatever `axis` says."""

    scales: tuple[float, ...]
    zero_points: tuple[int, ...]
    axis: int


@dataclass(frozen=True)
class Tensor:
    """One tensor; `data` is None where the network computes it (little-endian, row-major otherwise)."""

    index: int
    name: str
    shape: tuple[int, ...]
    type: TensorType
    quantization: Quantization | None
    data: bytes | None
    is_variable: bool

    @property
    def elements(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)

    @property
    def label(self) -> str:
        """How errors name it."""
        return f"tensor {self.index} ({_short(self.name)})"


@dataclass(frozen=True)
class Operator:
    """One operator.

    Attributes:
        index, name, version: as in the file.
        inputs: None where one is left out.
        outputs: what it makes.
        options: those that are single numbers.
        lists: those that are lists of them.
        intermediates: tensors that tell only how values within the operator are quantised.
    """

    index: int
    name: str
    version: int
    inputs: tuple[Tensor | None, ...]
    outputs: tuple[Tensor, ...]
    options: Mapping[str, int | float]
    lists: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    intermediates: tuple[Tensor, ...] = ()

    @property
    def label(self) -> str:
        """How errors name it."""
        return f"operator {self.index} ({self.name})"


@dataclass(frozen=True)
class Model:
    """The main graph of a file."""

    description: str
    tensors: tuple[Tensor, ...]
    operators: tuple[Operator, ...]
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]


def read_model(data: bytes) -> Model:
    """Parse a .tflite file.

    Args:
        data: the whole file.

    Returns:
        Its only graph, whose operators are in an order in which they can run.

    Raises:
        ModelError: the file is damaged, has more than one graph, or its graph contradicts itself.
    """
    model = root(data, _IDENTIFIER)
    version = model.integer(0, "I")
    if version != 3:
        raise contradictory(f" has schema version {version} and not 3")
    graphs = model.tables(2, "graph")
    codes = [_operator_code(table) for table in model.tables(1, "operator code")]
    if len(graphs) != 1:
        control = sorted({name for name, _ in codes} & _CONTROL)
        why = f" for {', '.join(control)}, as loops and recurrent layers have" if control else ""
        raise ModelError(
            f"The model has {len(graphs)} graphs{why}; build recurrent layers with unroll=True, leave other loops out, "
            "and convert the model again."
        )
    graph = graphs[0]
    buffers = [_content(table, data, number) for number, table in enumerate(model.tables(4, "buffer"))]
    tensors = tuple(_tensor(number, table, buffers) for number, table in enumerate(graph.tables(0, "tensor")))
    operators = tuple(
        _operator(number, table, codes, tensors) for number, table in enumerate(graph.tables(3, "operator"))
    )
    inputs = _references(graph.numbers(1, "i", "the graph's inputs"), tensors, "the graph's inputs")
    outputs = _references(graph.numbers(2, "i", "the graph's outputs"), tensors, "the graph's outputs")
    _check_order(operators, inputs, outputs)
    return Model(model.text(3, "the description"), tensors, operators, inputs, outputs)


def _short(name: str) -> str:
    """A tensor's name in a sentence: of the layers that converters fuse and list, the first."""
    return name.partition(";")[0][:_MAX_NAME] or "unnamed"


def _content(table: Table, data: bytes, number: int) -> bytes | None:
    offset, size = table.integer(1, "Q"), table.integer(2, "Q")
    if offset > 1:
        if offset + size > len(data):
            raise damaged(f"buffer {number} points outside of it")
        return data[offset : offset + size] or None
    return table.bytes_(0, f"buffer {number}") or None


def _operator_code(table: Table) -> tuple[str, int]:
    # The old field is a byte; newer operators are in the wider one, and the larger of the two counts.
    code = max(table.integer(0, "b"), table.integer(3, "i"))
    if code == schema.CUSTOM:
        return f"CUSTOM {table.text(1, 'custom code')[:_MAX_NAME]}", 1
    return schema.operator_name(code), table.integer(2, "i", 1)


def _tensor(index: int, table: Table, buffers: list[bytes | None]) -> Tensor:
    what = f"tensor {index}"
    name = table.text(3, what)
    label = f"{what} ({_short(name)})"
    shape = table.numbers(0, "i", f"the shape of {label}")
    if len(shape) > _MAX_DIMENSIONS or any(n < 0 for n in shape) or math.prod(shape) > _MAX_ELEMENTS:
        raise contradictory(f"'s {label} has the impossible shape {list(shape[:9])}")
    number = table.integer(1, "b")
    if number not in TensorType.__members__.values():
        raise contradictory(f"'s {label} has the unknown type {number}")
    type_ = TensorType(number)
    if table.table(6, "sparsity") is not None:
        raise ModelError(f"The model's {label} is stored sparse, which is not supported; convert it without sparsity.")
    buffer = table.integer(2, "I")
    if buffer >= len(buffers):
        raise damaged(f"{label} refers to buffer {buffer} of {len(buffers)}")
    data = buffers[buffer]
    if data is not None and type_.size is not None and len(data) != math.prod(shape) * type_.size:
        raise damaged(f"{label} of shape {list(shape)} has {len(data)} bytes of data")
    return Tensor(index, name, shape, type_, _quantization(table, label, shape), data, bool(table.integer(5, "B")))


def _quantization(table: Table, label: str, shape: tuple[int, ...]) -> Quantization | None:
    found = table.table(4, f"the quantization of {label}")
    if found is None:
        return None
    scales = found.floats(2, "f", f"the scales of {label}")
    if not scales:
        return None
    zero_points = found.numbers(3, "q", f"the zero points of {label}") or (0,) * len(scales)
    axis = found.integer(6, "i")
    if len(zero_points) != len(scales):
        raise contradictory(f"'s {label} has {len(scales)} scales but {len(zero_points)} zero points")
    if len(shape) == 1:
        axis = 0  # TensorFlow 1 and others name the axis of the weights at a bias, which has but one (`mend.py`)
    if len(scales) > 1 and (not 0 <= axis < len(shape) or shape[axis] != len(scales)):
        raise contradictory(f"'s {label} has {len(scales)} scales that fit no axis of its shape")
    if not all(math.isfinite(scale) and scale > 0 for scale in scales):
        raise contradictory(f"'s {label} has a scale that is not a positive number")
    if not all(-(1 << 31) <= point < 1 << 31 for point in zero_points):
        raise contradictory(f"'s {label} has a zero point beyond 32 bits")
    return Quantization(scales, zero_points, axis)


def _references(numbers: tuple[int, ...], tensors: tuple[Tensor, ...], what: str) -> tuple[Tensor, ...]:
    for number in numbers:
        if not 0 <= number < len(tensors):
            raise damaged(f"{what} refer to tensor {number} of {len(tensors)}")
    return tuple(tensors[number] for number in numbers)


def _operator(index: int, table: Table, codes: list[tuple[str, int]], tensors: tuple[Tensor, ...]) -> Operator:
    code = table.integer(0, "I")
    if code >= len(codes):
        raise damaged(f"operator {index} refers to operator code {code} of {len(codes)}")
    name, version = codes[code]
    label = f"operator {index} ({name})"
    numbers = table.numbers(1, "i", f"the inputs of {label}")
    present = iter(_references(tuple(n for n in numbers if n != -1), tensors, f"the inputs of {label}"))
    inputs = tuple(None if number == -1 else next(present) for number in numbers)
    outputs = _references(table.numbers(2, "i", f"the outputs of {label}"), tensors, f"the outputs of {label}")
    what = f"the intermediates of {label}"
    between = _references(table.numbers(8, "i", what), tensors, what)
    return Operator(index, name, version, inputs, outputs, *_options(table, name, label), between)


def _options(table: Table, name: str, label: str) -> tuple[dict[str, int | float], dict[str, tuple[int, ...]]]:
    """Single numbers, and lists."""
    known = schema.OPTIONS.get(name)
    if known is None:
        return {}, {}
    union, fields = known
    options = table.table(4, f"the options of {label}")
    lists = schema.LISTS.get(name, {})
    if options is None:
        return {one.name: _typed(one.format, one.default) for one in fields}, dict.fromkeys(lists, ())
    if table.integer(3, "B") != union:
        raise damaged(f"{label} bears another operator's options")
    numbers = {one.name: _typed(one.format, options.scalar(one.index, one.format, one.default)) for one in fields}
    return numbers, {one: options.numbers(index, "i", f"the options of {label}") for one, index in lists.items()}


def _typed(format_: str, value: int | float) -> int | float:
    return float(value) if format_ == "f" else int(value)


def _check_order(operators: tuple[Operator, ...], inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> None:
    ready = {tensor.index for tensor in inputs}
    for operator in operators:
        for tensor in operator.inputs:
            if tensor is not None and tensor.data is None and not tensor.is_variable and tensor.index not in ready:
                raise contradictory(f"'s {operator.label} needs {tensor.label} before it is computed")
        for tensor in operator.outputs:
            if tensor.index in ready or tensor.data is not None:
                raise contradictory(f"'s {operator.label} computes {tensor.label} a second time")
            ready.add(tensor.index)
    for tensor in outputs:
        if tensor.index not in ready and tensor.data is None:
            raise contradictory(f"'s output, {tensor.label}, is computed by no operator")
