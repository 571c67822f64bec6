"""What the routes of alerts answer. Times are milliseconds since 1970 UTC."""

from typing import Any

from thermo_hub.described import Answer


class Alert(Answer):
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


class ListedAlert(Alert):
    """An alert in a list.

    Attributes:
        label: what people call the wearable.
    """

    label: str


class Alerts(Answer):
    """Alerts.

    Attributes:
        alerts: newest first.
        notice: that they inform only.
    """

    alerts: list[ListedAlert]
    notice: str


class Step(Answer):
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


class Delivery(Answer):
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


class WholeAlert(ListedAlert):
    """An alert with all of its steps.

    Attributes:
        steps: in their order.
        deliveries: by step and channel.
        notice: that it informs only.
    """

    steps: list[Step]
    deliveries: list[Delivery]
    notice: str


class Channel(Answer):
    """A way by which alerts call.

    Attributes:
        name: of it.
        what: it is, in words.
        follows: whether it hears of every step, not of calls alone.
    """

    name: str
    what: str
    follows: bool


class Channels(Answer):
    """Ways by which alerts call.

    Attributes:
        channels: each.
    """

    channels: list[Channel]


class Watched(Answer):
    """Whose silence is an alert.

    Attributes:
        wearables: ids.
        problems: why rules cannot hold, by wearable and rule.
    """

    wearables: list[str]
    problems: dict[str, dict[str, str]]


class PutAway(Answer):
    """Whose silence is no alert any more.

    Attributes:
        wearable: id.
    """

    wearable: str


class RulesText(Answer):
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


class RulesVersion(Answer):
    """Rules that hold from now on.

    Attributes:
        version: of them.
    """

    version: int


class PersonalThreshold(Answer):
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


class ThresholdChange(Answer):
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


class Threshold(Answer):
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


class Thresholds(Answer):
    """Thresholds of one wearer.

    Attributes:
        rules: each that holds for the wearable.
        version: of the rules.
        notice: that it informs only.
    """

    rules: list[Threshold]
    version: int
    notice: str
