"""What a graph needs of a model's network: float32 signals in, float32 outputs out."""

from collections.abc import Sequence
from typing import Protocol

from thermo_core.signals import Values


class Network(Protocol):
    """A network that is ready to run."""

    def infer(self, inputs: Sequence[Values]) -> Values:
        """Outputs for one moment.

        Args:
            inputs: values of the model's signals, without NaN.

        Returns:
            (outputs,) float32, dequantised.

        Raises:
            ModelError: the runtime fails.
        """
