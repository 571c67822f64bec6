"""A wearable as data: sensors, stages, models, alerts, what it must know of its wearer, and its notice; no code knows one by name."""

from typing import TYPE_CHECKING, Annotated, Literal, Union

from msgspec import Meta

from thermo_core.schema import Name, Record, Text
from thermo_core.sensors import SETTINGS
from thermo_core.sensors.settings import SensorSettings
from thermo_core.signals import Ref, Unit
from thermo_core.stages import AnyStage
from thermo_core.wearable.person import FIELDS
from thermo_core.wire.table import limited, within

NOTICE = "Informs only. Not a medical device."
"""Stands wherever a finding is shown."""

if TYPE_CHECKING:
    AnySensor = SensorSettings
    AnyField = str
else:
    AnySensor = Union[tuple(SETTINGS)]  # noqa: UP007 (made of a table)
    AnyField = Literal[tuple(FIELDS)]

_Output = Annotated[float, Meta(ge=-1e9, le=1e9)]


class Quantity(Record, frozen=True):
    """A number that a model says.

    Attributes:
        name: of it.
        unit: of it.
        low, high: what can be; beyond, the finding is flagged as out of range.
        offset, factor: value = offset + factor x, with x as the model or the stage that is read gives it.
        spread: half-width of the interval around it that nine in ten new cases fall into; 0 where it is not known.
    """

    name: Name
    unit: Unit
    low: _Output
    high: _Output
    offset: _Output = 0.0
    factor: _Output = 1.0
    spread: Annotated[float, Meta(ge=0, le=1e9)] = 0.0


class Model(Record, frozen=True):
    """An int8 network: what it takes and what its outputs mean.

    Attributes:
        name: of it; its raw outputs are the signal "NAME.raw".
        inputs: signals it takes, in the order of its inputs.
        scores: labels whose scores it says, 0 to 1, one for each output; or one more, which comes first and says that none of the
            others holds.
        quantities: or the numbers it says.
        read: signal that the outputs are read from, made of "NAME.raw" by stages; that itself where left out.
        width: how many numbers its network gives; as many as there are outputs where left out.
    """

    name: Name
    inputs: Annotated[tuple[Ref, ...], limited("model_inputs")]
    scores: Annotated[tuple[Text, ...], limited("outputs")] | None = None
    quantities: Annotated[tuple[Quantity, ...], limited("outputs")] | None = None
    read: Ref | None = None
    width: Annotated[int, Meta(ge=1, le=1024)] | None = None

    @property
    def raw(self) -> str:
        """Signal of its outputs."""
        return f"{self.name}.raw"

    @property
    def reading(self) -> str:
        """Signal that its findings are read from."""
        return self.raw if self.read is None else self.read

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of what a finding says, in order."""
        return tuple(self.scores or ()) if self.quantities is None else tuple(one.name for one in self.quantities)


class Duration(Record, frozen=True):
    """How long a condition must hold: findings (or samples) in a row, and seconds.

    Attributes:
        findings: at least so many in a row.
        seconds: and at least so long.
    """

    findings: Annotated[int, within("alert_findings")] = 1
    seconds: Annotated[float, within("alert_seconds")] = 0.0


class Alert(Record, frozen=True, rename={"after": "for"}):
    """When to call somebody.

    Attributes:
        name: of it.
        when: "MODEL.OUTPUT >= NUMBER", or a signal of one number, or one of its elements: "pulse > 130", "feet[1] < 15 degC".
        after: how long that must hold; "for" in a file.
        clear: when it is over; when `when` does not hold any more, where left out.
        severity: how much it matters.
        text: what a person reads.
    """

    name: Name
    when: Text
    after: Duration = Duration()
    clear: Text | None = None
    severity: Literal["info", "warning", "urgent"] = "warning"
    text: Text | None = None


class Profile(Record, frozen=True):
    """A wearable.

    Attributes:
        name: of the wearable.
        version: of this profile, in words of its author.
        sensors: in the order of their numbers.
        stages: in any order.
        models: in the order of their numbers.
        alerts: in the order of their numbers.
        person: what it must know of its wearer, each a signal "person.NAME"; see `person.FIELDS`.
        notice: what its author adds to "Informs only. Not a medical device."
    """

    name: Name
    version: Text
    sensors: Annotated[tuple[AnySensor, ...], limited("sensors")]
    stages: Annotated[tuple[AnyStage, ...], limited("stages")] = ()
    models: Annotated[tuple[Model, ...], limited("models")] = ()
    alerts: Annotated[tuple[Alert, ...], limited("alerts")] = ()
    person: Annotated[tuple[AnyField, ...], Meta(max_length=len(FIELDS))] = ()
    notice: Text | None = None
