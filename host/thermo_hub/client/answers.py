"""What the hub's API answers. Made of the hub's OpenAPI by `python -m thermo_hub.client_code`."""

from typing import Any, Literal

import msgspec


class Named(msgspec.Struct, frozen=True):
    """An account.

    Attributes:
        name: of it.
    """

    name: str


class Account(msgspec.Struct, frozen=True):
    """An account.

    Attributes:
        name: of it.
        roles: what it may do.
        closed: whether nobody comes in by it.
        since_ms: when it was made, milliseconds since 1970 UTC.
        changed_ms: when its password was set.
        wearables: ids of those that it sees; "*" for all.
        visits: how often it has come in and not gone since.
        passkeys: how many it has.
    """

    name: str
    roles: list[str]
    closed: bool
    since_ms: int
    changed_ms: int
    wearables: list[str]
    visits: int
    passkeys: int


class Assignable(msgspec.Struct, frozen=True):
    """A wearable that the hub knows.

    Attributes:
        id: of it.
        label: what people call it.
        profile: what it is.
    """

    id: str
    label: str
    profile: str


class Accounts(msgspec.Struct, frozen=True):
    """All accounts.

    Attributes:
        accounts: by name.
        roles: that there are.
        wearables: that may be assigned.
    """

    accounts: list[Account]
    roles: list[str]
    wearables: list[Assignable]


class Invited(msgspec.Struct, frozen=True):
    """Somebody who was invited.

    Attributes:
        name: of the account.
        link: that lets them set a password once, within a week.
    """

    name: str
    link: str


Role = Literal["wearer", "carer", "clinician", "researcher", "engineer", "administrator"]


class Assigned(msgspec.Struct, frozen=True):
    """Which wearables an account sees.

    Attributes:
        wearables: ids; "*" for all.
    """

    name: str
    wearables: list[str]


class Route(msgspec.Struct, frozen=True):
    """Who may use a route.

    Attributes:
        method: of HTTP, or WEBSOCKET.
        path: as the route has it.
        roles: any of them is enough; None for a route that asks nobody.
    """

    method: str
    path: str
    roles: list[str] | None


class Routes(msgspec.Struct, frozen=True):
    """Who may use which route.

    Attributes:
        routes: by path and method.
    """

    routes: list[Route]


class Look(msgspec.Struct, frozen=True):
    """Somebody looked at a wearable.

    Attributes:
        at_ms: when, milliseconds since 1970 UTC; the same within ten minutes is told once.
        who: name of the account.
        roles: that they had.
        wearable: id; "" for all wearables.
        action: read, live, export or change.
        what: method and path.
        ok: whether their role may.
    """

    at_ms: int
    who: str
    roles: list[str]
    wearable: str
    action: str
    what: str
    ok: bool


class Looks(msgspec.Struct, frozen=True):
    """Who looked.

    Attributes:
        accesses: newest first.
    """

    accesses: list[Look]


class Passkey(msgspec.Struct, frozen=True):
    """A passkey.

    Attributes:
        id: of the credential, base64url.
        since_ms: when it was made, milliseconds since 1970 UTC.
        used_ms: when somebody came in by it last; null where nobody has.
    """

    id: str
    since_ms: int
    used_ms: int | None


class PasskeysOf(msgspec.Struct, frozen=True):
    """Passkeys of whoever asks.

    Attributes:
        account: whether they have an account, without which there are none.
        passkeys: oldest first.
    """

    account: bool
    passkeys: list[Passkey]


class PasskeyOptions(msgspec.Struct, frozen=True):
    """What a browser needs to make or use a passkey.

    Attributes:
        options: as `PublicKeyCredential.parseCreationOptionsFromJSON` or `parseRequestOptionsFromJSON` takes them.
    """

    options: dict[str, Any]


class ListedAlert(msgspec.Struct, frozen=True):
    """An alert in a list.

    Attributes:
        label: what people call the wearable.
    """

    id: str
    wearable: str
    rule: str
    version: int
    severity: str
    text: str
    condition: str
    personal: bool
    value: float | None
    unit: str
    state: str
    calling: bool
    raised_ms: int
    snoozed_ms: int | None
    resolved_ms: int | None
    level: int
    channels: list[str]
    label: str


class Alerts(msgspec.Struct, frozen=True):
    """Alerts.

    Attributes:
        alerts: newest first.
        notice: that they inform only.
    """

    alerts: list[ListedAlert]
    notice: str


class Channel(msgspec.Struct, frozen=True):
    """A way by which alerts call.

    Attributes:
        name: of it.
        what: it is, in words.
        follows: whether it hears of every step, not of calls alone.
    """

    name: str
    what: str
    follows: bool


class Channels(msgspec.Struct, frozen=True):
    """Ways by which alerts call.

    Attributes:
        channels: each.
    """

    channels: list[Channel]


class Watched(msgspec.Struct, frozen=True):
    """Whose silence is an alert.

    Attributes:
        wearables: ids.
        problems: why rules cannot hold, by wearable and rule.
    """

    wearables: list[str]
    problems: dict[str, dict[str, str]]


class PutAway(msgspec.Struct, frozen=True):
    """Whose silence is no alert any more.

    Attributes:
        wearable: id.
    """

    wearable: str


class RulesText(msgspec.Struct, frozen=True):
    """Rules.

    Attributes:
        version: of them.
        by: who wrote them.
        at: when.
        toml: all of them.
        versions: that there are.
        wrong: why files that somebody wrote do not hold; "" where they do.
        own: what names of a wearable's own alerts begin with.
    """

    version: int
    by: str
    at: str
    toml: str
    versions: list[int]
    wrong: Any
    own: str


class RulesVersion(msgspec.Struct, frozen=True):
    """Rules that hold from now on.

    Attributes:
        version: of them.
    """

    version: int


class PersonalThreshold(msgspec.Struct, frozen=True):
    """A threshold of one wearer.

    Attributes:
        when: comparison.
        clear: when it is over; null for when that does not hold.
        why: in words.
        by: who set it.
        at: when.
    """

    when: str
    clear: str | None
    why: str | None
    by: str
    at: str


class ThresholdChange(msgspec.Struct, frozen=True):
    """A change of a wearer's threshold.

    Attributes:
        version: of the rules that it came with.
        when: comparison; null where the wearer had that of everybody again.
        clear, why: of it.
        by: who changed it.
        at: when.
    """

    version: int
    when: str | None
    clear: str | None
    why: str | None
    by: str
    at: str


class Threshold(msgspec.Struct, frozen=True):
    """A rule with its threshold for everybody and that of one wearer.

    Attributes:
        rule: its name.
        what: kind of number that it watches.
        when, clear: for everybody.
        personal: of the wearer; null where it is as for everybody.
        history: changes of that, newest first.
    """

    rule: str
    what: str
    when: str
    clear: str | None
    personal: PersonalThreshold | None
    history: list[ThresholdChange]


class Thresholds(msgspec.Struct, frozen=True):
    """Thresholds of one wearer.

    Attributes:
        rules: each that holds for the wearable.
        version: of the rules.
        notice: that it informs only.
    """

    rules: list[Threshold]
    version: int
    notice: str


class Alert(msgspec.Struct, frozen=True):
    """An alert as it stands.

    Attributes:
        id: of it.
        wearable: id of whose it is; "" for the hub's own.
        rule: that raised it.
        version: of the rules.
        severity: info, warning or urgent.
        text: what a person reads.
        condition: that it was raised by, in words.
        personal: whether the condition is of this wearer alone.
        value: that raised it.
        unit: of the value.
        state: raised, notified, acknowledged, snoozed, escalated or resolved.
        calling: whether it calls somebody now.
        raised_ms: when it was raised.
        snoozed_ms: until when nobody is called.
        resolved_ms: when its condition was over.
        level: escalations so far.
        channels: by which it calls.
    """

    id: str
    wearable: str
    rule: str
    version: int
    severity: str
    text: str
    condition: str
    personal: bool
    value: float | None
    unit: str
    state: str
    calling: bool
    raised_ms: int
    snoozed_ms: int | None
    resolved_ms: int | None
    level: int
    channels: list[str]


class Step(msgspec.Struct, frozen=True):
    """A step of an alert.

    Attributes:
        number: from 1.
        at_ms: when.
        state: it led to.
        by: who took it.
        note: why, in words.
        until_ms: of a snooze.
    """

    number: int
    at_ms: int
    state: str
    by: str
    note: str
    until_ms: int | None


class Delivery(msgspec.Struct, frozen=True):
    """What was told of an alert, or is to be.

    Attributes:
        id: that receivers tell repeats by.
        step: of the alert.
        channel: by which.
        calls: whether it is to call somebody.
        state: waiting, sending, sent, failed or cancelled.
        attempts: so far.
        detail: what the receiver said last.
        due_ms: when it is tried next.
        ended_ms: when it was over.
    """

    id: str
    step: int
    channel: str
    calls: bool
    state: str
    attempts: int
    detail: str
    due_ms: int
    ended_ms: int | None


class WholeAlert(msgspec.Struct, frozen=True):
    """An alert with all of its steps.

    Attributes:
        steps: in their order.
        deliveries: by step and channel.
        notice: that it informs only.
    """

    id: str
    wearable: str
    rule: str
    version: int
    severity: str
    text: str
    condition: str
    personal: bool
    value: float | None
    unit: str
    state: str
    calling: bool
    raised_ms: int
    snoozed_ms: int | None
    resolved_ms: int | None
    level: int
    channels: list[str]
    label: str
    steps: list[Step]
    deliveries: list[Delivery]
    notice: str


class Image(msgspec.Struct, frozen=True):
    """An image on a wearable.

    Attributes:
        slot: it lies in.
        version: of it.
        sha256: of it, hexadecimal.
        bootable, pending, confirmed, active, permanent: as the boot loader has it.
    """

    slot: int
    version: str
    sha256: str
    bootable: bool
    pending: bool
    confirmed: bool
    active: bool
    permanent: bool


class Question(msgspec.Struct, frozen=True):
    """What a job asks whoever looks at it.

    Attributes:
        words: the question.
        choices: answers there are; empty where something is to be typed.
    """

    words: str
    choices: list[str]


class Job(msgspec.Struct, frozen=True):
    """What takes long on a wearable.

    Attributes:
        id: of it.
        what: it is.
        state: running, done or failed.
        step: that goes on.
        share: of the step that is done.
        notes: what was said on the way.
        ask: what it waits for; None where for nothing.
        result: what came of it; None while it runs.
    """

    id: str
    what: str
    state: str
    step: str
    share: float
    notes: list[str]
    ask: Question | None
    result: dict[str, Any] | None


class Device(msgspec.Struct, frozen=True):
    """Everything that a wearable says of itself.

    Attributes:
        port: where it is.
        hello: who it is.
        sensors: with their corrections.
        models: of its bundle.
        alerts: of its own.
        person: what it knows of the wearer.
        images: on it.
        counters: since its start.
        round_trip_s: of the line.
        job: that it had last; None before the first.
    """

    port: str
    hello: dict[str, Any]
    sensors: list[dict[str, Any]]
    models: list[dict[str, Any]]
    alerts: list[dict[str, Any]]
    person: dict[str, float]
    images: list[Image]
    counters: dict[str, int]
    round_trip_s: float
    job: Job | None


class JobNow(msgspec.Struct, frozen=True):
    """How the job of a wearable stands.

    Attributes:
        job: it, or the one that it had last; None before the first.
    """

    job: Job | None


class SeenAlert(msgspec.Struct, frozen=True):
    """An alert of a wearable's own that somebody has seen.

    Attributes:
        alert: its name.
    """

    alert: str


Purpose = Literal["sharing", "research", "training"]


class PurposeStands(msgspec.Struct, frozen=True):
    """How a purpose stands.

    Attributes:
        purpose: it.
        words: what it is.
        given: whether there is consent.
    """

    purpose: Purpose
    words: str
    given: bool


class Said(msgspec.Struct, frozen=True):
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


class Consents(msgspec.Struct, frozen=True):
    """What a wearer agrees to.

    Attributes:
        wearable: whose.
        purposes: how each stands.
        said: all that was said, newest first.
    """

    wearable: str
    purposes: list[PurposeStands]
    said: list[Said]


class Confirmed(msgspec.Struct, frozen=True):
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


class Estimate(msgspec.Struct, frozen=True):
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


class Estimates(msgspec.Struct, frozen=True):
    """Hours of what models estimate in degC.

    Attributes:
        estimates: newest first.
        notice: that they inform only.
    """

    estimates: list[Estimate]
    notice: str


class Try(msgspec.Struct, frozen=True):
    """A try to send.

    Attributes:
        at_ms: when.
        ok: whether the server took it.
        detail: what it said.
    """

    at_ms: int
    ok: bool
    detail: str


class Sending(msgspec.Struct, frozen=True):
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


class Sendings(msgspec.Struct, frozen=True):
    """What was sent of a wearable.

    Attributes:
        server: base address of the FHIR server; None where none is set.
        sendings: newest first.
    """

    server: str | None
    sendings: list[Sending]


class Again(msgspec.Struct, frozen=True):
    """What is tried again.

    Attributes:
        waiting: how many windows.
    """

    waiting: int


class Ingested(msgspec.Struct, frozen=True):
    """What was taken since the hub began.

    Attributes:
        broker: host and port; None where none is set.
        problem: why it cannot be reached; "" where it can.
        records: that came.
        repeats: that had come before.
        bad: messages that hold none.
        shown: ids of the wearables that they are of.
    """

    broker: str | None
    problem: str = ""
    records: int = 0
    repeats: int = 0
    bad: int = 0
    shown: list[str] = []


class Me(msgspec.Struct, frozen=True):
    """The visitor.

    Attributes:
        name: of the account.
        roles: what it may do.
        csrf: what requests that change something carry in the header `x-thermo-csrf`.
    """

    name: str
    roles: list[str]
    csrf: str


class Wearable(msgspec.Struct, frozen=True):
    """A wearable that is here.

    Attributes:
        id: under which all of the hub knows it.
        label: what people call it.
        name, serial: of the device.
        profile: what it is.
        simulated: its hardware is.
        port: where it is.
        state: live, or why not in a word.
        reason: why it is not live, in words.
    """

    id: str
    label: str
    name: str
    serial: str
    profile: str
    simulated: bool
    port: str
    state: str
    reason: str


class Shut(msgspec.Struct, frozen=True):
    """A port behind which no wearable answers.

    Attributes:
        port: its path.
        state: in a word.
        reason: in words.
    """

    port: str
    state: str
    reason: str


class Wearables(msgspec.Struct, frozen=True):
    """Who is here.

    Attributes:
        wearables: by id.
        shut: ports behind which none answers.
    """

    wearables: list[Wearable]
    shut: list[Shut]


class Drawing(msgspec.Struct, frozen=True):
    """What pages draw with.

    Attributes:
        palette: red, green and blue of temperatures, coldest first.
        body: outlines of a body's segments.
    """

    palette: list[list[int]]
    body: dict[str, Any]


class Labelled(msgspec.Struct, frozen=True):
    """What a wearable is called.

    Attributes:
        label: it.
    """

    label: str


class Uplink(msgspec.Struct, frozen=True):
    """A wearable's line to the broker.

    Attributes:
        wearable: its id.
        site: in topics.
        waiting: records that wait.
        lost: records that were not kept until the broker was back.
        kept: whether the broker still owes that it has a message.
        problem: why the broker cannot be reached; "" where it can.
    """

    wearable: str
    site: str
    waiting: int
    lost: int
    kept: bool
    problem: str


class Lines(msgspec.Struct, frozen=True):
    """Lines to the broker.

    Attributes:
        broker: host and port; None where none is set.
        at_ms: now, milliseconds since 1970 UTC.
        lines: of each wearable.
    """

    broker: str | None
    at_ms: int
    lines: list[Uplink]


class RestsOn(msgspec.Struct, frozen=True):
    """What the newest finding of a model rests on.

    Attributes:
        known: whether that can be said.
        why: a sentence, where it cannot.
        signal: the camera on whose picture it lies.
        utc: of the moment, milliseconds since 1970.
        label, score: what the model says first, and how sure it is, 0 to 1.
        outline: polylines of (x, y) around what carries most of it, pixels from the top left; none where no place does.
        peak: (x, y) of the pixel that carries most.
        loss: of log-odds where that is covered.
    """

    known: bool
    why: str | None = None
    signal: str | None = None
    utc: float | None = None
    label: str | None = None
    score: float | None = None
    outline: list[list[list[float]]] | None = None
    peak: list[float] | None = None
    loss: float | None = None


class Recorder(msgspec.Struct, frozen=True):
    """A recording that is made, or was since the hub began.

    Attributes:
        name: of the file.
        running: whether it goes on.
        since: when it began.
        marked: markers so far.
        failure: why it ended; empty where nothing went wrong.
    """

    name: str
    running: bool
    since: float
    marked: int
    failure: str | None


class Marked(msgspec.Struct, frozen=True):
    """A marker.

    Attributes:
        text: what it is.
    """

    text: str


class Listed(msgspec.Struct, frozen=True):
    """A recording in the list.

    Attributes:
        name: of the file.
        size: bytes.
        recording: id of the wearable that it is being made of; None where it is over.
        wearable: id of the wearable that it is of; "" where it cannot be read.
        serial, profile, bundle, simulated, started, subject, note: whose it is; absent where it cannot be read.
        problem: why it cannot be read.
    """

    name: str
    size: int
    recording: str | None
    wearable: str
    serial: str = ""
    profile: str = ""
    bundle: str = ""
    simulated: bool = False
    started: str = ""
    subject: str = ""
    note: str = ""
    problem: str = ""


class Recordings(msgspec.Struct, frozen=True):
    """All recordings.

    Attributes:
        recordings: newest first.
        running: by wearable.
    """

    recordings: list[Listed]
    running: dict[str, Recorder]


class Looked(msgspec.Struct, frozen=True):
    """A recording as a page shows it.

    Attributes:
        name: of the file.
        started: when, ISO 8601 in UTC.
        from_: of its first record, as "from".
        to: of its last.
        complete: whether it was ended.
        damaged: stretches that cannot be read.
        lines: of each signal rows of seconds since 1970 and its numbers.
        findings: of models.
        alerts: of the wearable's own.
        gaps: in which nothing came.
        markers: that somebody set.
        pictures, bodies, channels: what of it is drawn as what.
        facts: whose it is.
    """

    name: str
    started: str
    from_: float = msgspec.field(name="from")
    to: float
    complete: bool
    damaged: Any
    lines: dict[str, list[list[float | None]]]
    findings: list[dict[str, Any]]
    alerts: list[dict[str, Any]]
    gaps: list[dict[str, Any]]
    markers: list[dict[str, Any]]
    pictures: list[dict[str, Any]]
    bodies: list[dict[str, Any]]
    channels: list[dict[str, Any]]
    facts: dict[str, Any]


class KnownBundle(msgspec.Struct, frozen=True):
    """A bundle that recordings can be run with.

    Attributes:
        sha256: of its image, hexadecimal.
        wearable: whose.
        version: of it.
        installed: whether it came with the hub.
    """

    sha256: str
    wearable: str
    version: str
    installed: bool


class KnownBundles(msgspec.Struct, frozen=True):
    """All of them.

    Attributes:
        bundles: by the names of their wearables.
    """

    bundles: list[KnownBundle]


class GivenBundle(msgspec.Struct, frozen=True):
    """A bundle that is known from here on.

    Attributes:
        sha256: of its image, hexadecimal.
    """

    sha256: str


class ModelAgain(msgspec.Struct, frozen=True):
    """A model's findings, recorded and computed again.

    Attributes:
        name: of the model.
        both: moments of which there is a finding now and then.
        same: of these, with the same label or the same quantities.
        greatest: difference of any value.
        recorded_only: recorded, and not computed again.
        again_only: computed again, and not recorded.
    """

    name: str
    both: int
    same: int
    greatest: float
    recorded_only: int
    again_only: int


class AlertAgain(msgspec.Struct, frozen=True):
    """How often an alert was raised.

    Attributes:
        name: of it.
        recorded: in the recording.
        again: computed again; None where it is not computed.
    """

    name: str
    recorded: int
    again: int | None


class SaidOfMoment(msgspec.Struct, frozen=True):
    """What a model said of a moment.

    Attributes:
        words: label, or quantities with their units.
        flags: what is in doubt.
    """

    words: str
    flags: list[str]


class DifferenceAgain(msgspec.Struct, frozen=True):
    """A moment of which something else is said.

    Attributes:
        utc: when.
        model: its name.
        recorded, again: what was said.
    """

    utc: float
    model: str
    recorded: SaidOfMoment
    again: SaidOfMoment


class RunAgain(msgspec.Struct, frozen=True):
    """A recording, computed again with another bundle.

    Attributes:
        wearable: whose bundle ran.
        models, alerts: what was compared.
        different: moments of which something else is said.
        differences: the first of them.
        notice: that it informs only.
    """

    wearable: str
    models: list[ModelAgain]
    alerts: list[AlertAgain]
    different: int
    differences: list[DifferenceAgain]
    notice: str


class Window(msgspec.Struct, frozen=True):
    """A window in the queue; nothing of why it is there, which would tell what the model said.

    Attributes:
        id: of it.
        state: how it stands.
        may: steps that this visitor may take next.
        person: of whom it is; a pseudonym for who is no clinician.
        wearable: id of the wearable; absent for who is no clinician.
        profile: name of what the wearable is.
        model: name of its model.
        classes: of the model.
        from_ms, to_ms: ends.
        readers: that have begun to read it.
    """

    id: str
    state: str
    may: list[str]
    person: str
    profile: str
    model: str
    classes: list[str]
    from_ms: float
    to_ms: float
    readers: int
    wearable: str = ""


class Queue(msgspec.Struct, frozen=True):
    """Windows that wait, the most urgent first.

    Attributes:
        items: each.
        all: windows that there are in all.
        notice: that it informs only.
    """

    items: list[Window]
    all: int
    notice: str


class Kappa(msgspec.Struct, frozen=True):
    """Agreement of two readers.

    Attributes:
        n: windows that both read blind.
        agreed: share of them on which they agree.
        kappa: Cohen's; null where chance alone would agree always.
        low, high: ends of its interval.
    """

    n: int
    agreed: float
    kappa: float | None
    low: float | None
    high: float | None


class Pair(msgspec.Struct, frozen=True):
    """Two readers on one model.

    Attributes:
        profile: name of what the wearable is.
        model: name of its model.
        readers: both.
        over_all: over all classes.
        classes: each against the rest.
    """

    profile: str
    model: str
    readers: list[Any]
    over_all: Kappa
    classes: dict[str, Kappa]


class Agreements(msgspec.Struct, frozen=True):
    """How far readers agree.

    Attributes:
        pairs: each two.
        level: of the intervals.
        notice: that it informs only.
    """

    pairs: list[Pair]
    level: float
    notice: str


class Place(msgspec.Struct, frozen=True):
    """A place on a picture.

    Attributes:
        kind: a box has two corners, a polygon three points or more.
        signal: the picture.
        points: (x, y), pixels from the left and from the top.
    """

    kind: Literal["box", "polygon"]
    signal: str
    points: list[list[Any]]


class Opinion(msgspec.Struct, frozen=True):
    """What a reader says.

    Attributes:
        label: a class; null where the reader cannot tell.
        shapes: where it is seen.
        ranges: from and to, between which it holds; all of the window where there is none.
        note: in words; "" for who is no clinician.
    """

    label: str | None
    shapes: list[Place]
    ranges: list[list[Any]]
    note: str


class ReadStep(msgspec.Struct, frozen=True):
    """A step of a reader.

    Attributes:
        at_ms: when.
        by: who.
        kind: of it.
        blinded: whether the model's finding had not been shown.
        opinion: held since then.
    """

    at_ms: float
    by: str
    kind: Literal["first", "kept", "changed", "revised", "adjudicated"]
    blinded: bool
    opinion: Opinion


class Drawn(msgspec.Struct, frozen=True):
    """A signal that is drawn as a whole.

    Attributes:
        signal: its name.
        unit: of its values.
    """

    signal: str
    unit: str


class DrawnLine(msgspec.Struct, frozen=True):
    """A number that is drawn as a line.

    Attributes:
        element: place within the signal.
        name: what people call it.
    """

    signal: str
    unit: str
    element: int
    name: str


class WholeWindow(msgspec.Struct, frozen=True):
    """A window with its signals.

    Attributes:
        lines: by signal: seconds since 1970 UTC, then its numbers.
        pictures: signals that are pictures.
        bodies: signals that are temperatures of a body's segments.
        channels: lines that there are.
        notice: that it informs only.
    """

    id: str
    state: str
    may: list[str]
    person: str
    profile: str
    model: str
    classes: list[str]
    from_ms: float
    to_ms: float
    readers: int
    mine: int
    sees_finding: bool
    steps: list[ReadStep]
    shapes: dict[str, list[int]]
    lines: dict[str, list[list[float | None]]]
    pictures: list[Drawn]
    bodies: list[Drawn]
    channels: list[DrawnLine]
    notice: str
    wearable: str = ""


class Finding(msgspec.Struct, frozen=True):
    """What the model said of a window.

    Attributes:
        label: class of the greatest mean score.
        scores: means, by class.
        findings: that the means are of.
        uncertainty: normalised entropy of the scores, 0 to 1.
        alerts: of the wearable's own, raised in the window.
        called: rules of the hub that began to call in it.
        bundle: first bytes of the hash of the wearable's bundle, hexadecimal.
        notice: that it informs only.
    """

    label: str
    scores: dict[str, float]
    findings: int
    uncertainty: float
    alerts: list[str]
    called: list[str]
    bundle: str
    notice: str


class ReadWindow(msgspec.Struct, frozen=True):
    """A window with what of it this visitor may see.

    Attributes:
        mine: number of this visitor's steps.
        sees_finding: whether the model's finding is given to this visitor.
        steps: of this visitor; of everybody where readers disagree or are done.
        shapes: rows and columns of each picture.
    """

    id: str
    state: str
    may: list[str]
    person: str
    profile: str
    model: str
    classes: list[str]
    from_ms: float
    to_ms: float
    readers: int
    mine: int
    sees_finding: bool
    steps: list[ReadStep]
    shapes: dict[str, list[int]]
    wearable: str = ""


class MarkedPlace(msgspec.Struct, frozen=True):
    """A place on a picture.

    Attributes:
        kind: a box has two corners, a polygon three points or more.
        signal: the picture.
        points: (x, y), pixels from the left and from the top.
    """

    kind: Literal["box", "polygon"]
    signal: str
    points: list[list[Any]]


class OpinionSaid(msgspec.Struct, frozen=True):
    """What a reader says.

    Attributes:
        label: a class of the model; null where the reader cannot tell.
        shapes: where it is seen.
        ranges: from and to, milliseconds since 1970 UTC, between which it holds; all of the window where there is none.
        note: in words.
    """

    label: str | None
    shapes: list[MarkedPlace]
    ranges: list[list[Any]]
    note: str = ""


class TrendedWearable(msgspec.Struct, frozen=True):
    """A wearable of which there are trends.

    Attributes:
        wearable: id; for a researcher a pseudonym, by which other routes know it too.
        profile: name of what it is.
        label: what people call it; "" for a researcher.
    """

    wearable: str
    profile: str
    label: str


class Trended(msgspec.Struct, frozen=True):
    """Wearables of which there are trends.

    Attributes:
        wearables: each, those that were here last first.
        notice: that they inform only.
    """

    wearables: list[TrendedWearable]
    notice: str


class Series(msgspec.Struct, frozen=True):
    """A series.

    Attributes:
        name: as "skin.max" or "core.core".
        label: what people call it.
        unit: of its numbers.
    """

    name: str
    label: str
    unit: str


class AllSeries(msgspec.Struct, frozen=True):
    """What there are trends of.

    Attributes:
        series: of a wearable.
        notice: that they inform only.
    """

    series: list[Series]
    notice: str


class Columns(msgspec.Struct, frozen=True):
    """Roll-ups of a series, as columns of the same length: a row is a stretch of time in which something came.

    Attributes:
        name, label, unit: of the series.
        start_ms: of the stretch.
        n: samples.
        doubtful: samples left out.
        lost: blocks that did not come.
        calibration: id of the one in use; "" for none.
        low, p5, mean, p95, high: of the samples.
        uncertainty: of the calibration, k = 2.
        ambient: degC around the sensor.
    """

    name: str
    label: str
    unit: str
    start_ms: list[int]
    n: list[int]
    doubtful: list[int]
    lost: list[int]
    calibration: list[str]
    low: list[float | None]
    p5: list[float | None]
    mean: list[float | None]
    p95: list[float | None]
    high: list[float | None]
    uncertainty: list[float | None]
    ambient: list[float | None]


class Trends(msgspec.Struct, frozen=True):
    """Roll-ups in a window.

    Attributes:
        width: minute, hour or day.
        width_ms: of a stretch.
        from_ms: begin of the window.
        to_ms: its end.
        series: columns of each.
        notice: that they inform only.
    """

    width: str
    width_ms: int
    from_ms: int
    to_ms: int
    series: list[Columns]
    notice: str


class UsualHour(msgspec.Struct, frozen=True):
    """What is usual in an hour of the day.

    Attributes:
        centre: median of the hour's means.
        spread: of them.
        days: that it was learned of.
    """

    centre: float
    spread: float
    days: int


class Usual(msgspec.Struct, frozen=True):
    """What is usual of a wearer.

    Attributes:
        hours: of a day, from midnight; None where it is not known.
        day_ms: begin of the day that it holds for.
    """

    hours: list[UsualHour | None]
    day_ms: int


class Night(msgspec.Struct, frozen=True):
    """A night, from noon to noon.

    Attributes:
        night_of: date of its evening.
        woke: date of its morning.
        from_ms: begin.
        to_ms: end.
    """

    night_of: str
    woke: str
    from_ms: int
    to_ms: int


class Nights(msgspec.Struct, frozen=True):
    """The last nights.

    Attributes:
        wearable: id.
        nights: newest first.
    """

    wearable: str
    nights: list[Night]
