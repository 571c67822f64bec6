"""Whether a bundle's network can give its wearable's verdicts: shapes, quantisation, outputs that are probabilities, labels.

Signer, firmware generator and tests ask here, so that what one of them takes no other refuses.
"""

import math

import numpy as np

from thermo_core.bundle import Bundle
from thermo_core.contract import INT8_MAX, INT8_MIN, InputContract
from thermo_core.errors import ModelError
from thermo_core.features import FEATURE_SHAPE
from thermo_core.profile import Preprocessing
from thermo_core.tflite.reader import Model, Operator, Tensor
from thermo_core.tflite.schema import TensorType
from thermo_core.tflite.verify import verify_model
from thermo_core.typical import typical_features

MOST_BEYOND = 0.05
"""Share of a scene's features that may lie beyond what the input holds."""
LEAST_STEPS = 1.0
"""Steps of the input in a standard deviation of a scene's features, below which it tells nothing of them."""
_MOVES = ("RESHAPE", "SQUEEZE", "QUANTIZE")


def check_wearable_model(bundle: Bundle) -> None:
    """Refuse a bundle whose network would never give a verdict, or one that means nothing.

    Raises:
        ModelError: as `check_contract`, or the network does not take the features that the profile's preprocessing makes.
    """
    check_contract(bundle)
    shape = bundle.input.shape
    if shape != FEATURE_SHAPE:
        missing = math.prod(shape) == math.prod(FEATURE_SHAPE)
        cure = (
            "add the channel axis, as in keras.Input((24, 32, 1))" if missing else "train it on features of that shape"
        )
        raise ModelError(
            f"The network takes inputs of shape {shape} and the profile's preprocessing makes {FEATURE_SHAPE}; {cure}."
        )


def check_contract(bundle: Bundle) -> None:
    """Refuse a network that is not what its bundle says.

    Raises:
        ModelError: it is malformed; has other ends than one int8 input and one int8 output of (1, n); is quantised otherwise
            than the contract says; gives no probabilities; has outputs the labels do not fit; or cannot reach the alert's
            threshold.
    """
    model = verify_model(bundle.model).model
    source, result = _ends(model)
    if source.shape != (1, *bundle.input.shape):
        raise ModelError(
            f"The model's input has the shape {source.shape}, not {(1, *bundle.input.shape)} as its contract says; "
            "use the contract.json beside it."
        )
    for name, tensor, said in (("input", source, bundle.input), ("output", result, bundle.output)):
        if np.float32(said.scale) != np.float32(_scale(tensor)) or said.zero_point != _zero_point(tensor):
            raise ModelError(
                f"The model's {name} is quantised otherwise than its contract says; use the contract.json beside it."
            )
    _check_output(bundle, model, result)


def _ends(model: Model) -> tuple[Tensor, Tensor]:
    ends = (*model.inputs, *model.outputs)
    if len(ends) != 2 or any(tensor.type is not TensorType.INT8 for tensor in ends):
        raise ModelError(
            "A wearable runs models of one int8 input and one int8 output, which this one has not; quantise it to int8."
        )
    return ends[0], ends[1]


def _check_output(bundle: Bundle, model: Model, result: Tensor) -> None:
    labels, outputs = len(bundle.profile.labels), result.elements
    if result.shape != (1, outputs):
        raise ModelError(
            f"The model's output has the shape {result.shape}, and a verdict needs one number a label; end the network in one row."
        )
    scale, zero_point = _scale(result), _zero_point(result)
    low, high = (INT8_MIN - zero_point) * scale, (INT8_MAX - zero_point) * scale
    head = _head(model)
    if head.name not in ("SOFTMAX", "LOGISTIC") and not (low >= -scale / 2 and high <= 1 + scale / 2):
        raise ModelError(
            f"The network ends in {head.name} and gives {low:.3g} to {high:.3g}, which are no probabilities: a classifier ends in a "
            "softmax, or in a sigmoid for one output, before it is quantised, and a quantity is no class."
        )
    if outputs == 1 and head.name == "SOFTMAX":
        raise ModelError("The network ends in a softmax of one output, which always says 1; end it in a sigmoid.")
    alone = labels == outputs + 1 and (head.name == "LOGISTIC" or outputs == 1)
    if labels != outputs and not alone:
        more = " and, before it, what a low output means" if outputs == 1 else ""
        raise ModelError(
            f"The model's output has the shape {result.shape} and the profile {labels} labels; name each output{more}."
        )
    alert = bundle.profile.alert
    if alert is not None and alert.threshold > high and not (labels > outputs and alert.label == 0):
        raise ModelError(
            f"The alert needs a score of {alert.threshold:g} and the network's end at {high:.4f}; lower profile.alert.threshold."
        )


def _head(model: Model) -> Operator:
    """The last operator that computes, before those that only move its numbers."""
    made = {tensor.index: operator for operator in model.operators for tensor in operator.outputs}
    operator = made[model.outputs[0].index]
    while operator.name in _MOVES and operator.inputs[0] is not None and operator.inputs[0].index in made:
        operator = made[operator.inputs[0].index]
    return operator


def check_range(contract: InputContract, preprocessing: Preprocessing) -> None:
    """Refuse an input that cannot hold what the preprocessing makes of any typical scene, or hardly tells it from nothing.

    Raises:
        ModelError: it does not fit; the sentence gives both ranges.
    """
    low, high = (float((end - contract.zero_point) * contract.scale) for end in (INT8_MIN, INT8_MAX))
    scenes = typical_features(preprocessing)
    for features in scenes.values():
        beyond = np.mean((features < low - contract.scale / 2) | (features > high + contract.scale / 2))
        if beyond <= MOST_BEYOND and features.std() >= LEAST_STEPS * contract.scale:
            return
    skin = scenes["skin"]
    raise ModelError(
        f"The network's input holds {low:.3g} to {high:.3g} in steps of {contract.scale:.3g}, and the profile's preprocessing makes "
        f"{skin.min():.3g} to {skin.max():.3g} of skin; train and quantise it on what thermo_core.features makes with this profile."
    )


def _scale(tensor: Tensor) -> float:
    return 0.0 if tensor.quantization is None else tensor.quantization.scales[0]


def _zero_point(tensor: Tensor) -> int:
    return 0 if tensor.quantization is None else tensor.quantization.zero_points[0]
