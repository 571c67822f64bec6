"""What the routes of FHIR answer and take."""

from typing import Annotated

from pydantic import BaseModel, Field

from thermo_hub.described import Answer
from thermo_hub.security.consents import Purpose

Note = Annotated[str, Field(max_length=500)]


class PurposeStands(Answer):
    """How a purpose stands.

    Attributes:
        purpose: it.
        words: what it is.
        given: whether there is consent.
    """

    purpose: Purpose
    words: str
    given: bool


class Said(Answer):
    """What somebody said of a purpose.

    Attributes:
        purpose: it.
        given: consent; else it was withdrawn.
        by: who.
        at_ms: when, milliseconds since 1970 UTC.
        note: in words.
    """

    purpose: str
    given: bool
    by: str
    at_ms: int
    note: str


class Consents(Answer):
    """What a wearer agrees to.

    Attributes:
        wearable: whose.
        purposes: how each stands.
        said: all that was said, newest first.
    """

    wearable: str
    purposes: list[PurposeStands]
    said: list[Said]


class Confirmed(Answer):
    """That a clinician confirmed an estimate.

    Attributes:
        value: that holds, in the unit of the series.
        by: who.
        at_ms: when.
        note: how it was found.
    """

    value: float
    by: str
    at_ms: int
    note: str


class Estimate(Answer):
    """An hour of what a model estimates.

    Attributes:
        series: of it.
        label: what people call it.
        unit: of the numbers.
        start_ms: of the hour.
        mean: of the hour.
        spread: half-width of the interval that nine in ten new cases fall into; 0 where it is not known.
        confirmed: by whom; None for nobody.
    """

    series: str
    label: str
    unit: str
    start_ms: int
    mean: float
    spread: float
    confirmed: Confirmed | None


class Estimates(Answer):
    """Hours of what models estimate in degC.

    Attributes:
        estimates: newest first.
        notice: that they inform only.
    """

    estimates: list[Estimate]
    notice: str


class Try(Answer):
    """A try to send.

    Attributes:
        at_ms: when.
        ok: whether the server took it.
        detail: what it said.
    """

    at_ms: int
    ok: bool
    detail: str


class Sending(Answer):
    """A window that is sent to the FHIR server.

    Attributes:
        id: of it.
        from_ms: begin of the window.
        to_ms: its end.
        state: waiting, sent, failed or cancelled.
        due_ms: when it is tried next; None where it is not.
        tries: each of them.
    """

    id: str
    from_ms: int
    to_ms: int
    state: str
    due_ms: int | None
    tries: list[Try]


class Sendings(Answer):
    """What was sent of a wearable.

    Attributes:
        server: base address of the FHIR server; None where none is set.
        sendings: newest first.
    """

    server: str | None
    sendings: list[Sending]


class Again(Answer):
    """What is tried again.

    Attributes:
        waiting: how many windows.
    """

    waiting: int


class ConsentSaid(BaseModel):
    """Consent, or that it is withdrawn.

    Attributes:
        given: consent; else it is withdrawn.
        note: in words, as where it was signed.
    """

    given: bool
    note: Note = ""


class Confirmation(BaseModel):
    """An estimate that a clinician takes for what it is.

    Attributes:
        series: of the estimate.
        start_ms: of its hour.
        value: that holds, degC; that of the model where left out.
        note: how it was found, as "ear thermometer".
    """

    series: Annotated[str, Field(max_length=120)]
    start_ms: Annotated[int, Field(ge=0, le=9_000_000_000_000)]
    value: Annotated[float, Field(ge=25, le=45)] | None = None
    note: Note = ""
