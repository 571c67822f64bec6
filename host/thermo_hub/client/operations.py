"""Operations of the hub's API. Made of the hub's OpenAPI by `python -m thermo_hub.client_code`."""

from collections.abc import Sequence
from typing import Any, Literal

from thermo_hub.client.answers import (
    Accounts,
    Again,
    Agreements,
    Alert,
    Alerts,
    AllSeries,
    Assigned,
    Channels,
    Confirmed,
    Consents,
    Device,
    Drawing,
    Estimates,
    Finding,
    GivenBundle,
    Ingested,
    Invited,
    Job,
    JobNow,
    KnownBundles,
    Labelled,
    Lines,
    Looked,
    Looks,
    Marked,
    Me,
    Named,
    Nights,
    OpinionSaid,
    PasskeyOptions,
    PasskeysOf,
    Purpose,
    PutAway,
    Queue,
    ReadWindow,
    Recorder,
    Recordings,
    RestsOn,
    Role,
    Routes,
    RulesText,
    RulesVersion,
    RunAgain,
    SeenAlert,
    Sendings,
    Thresholds,
    Trended,
    Trends,
    Usual,
    Watched,
    Wearables,
    WholeAlert,
    WholeWindow,
)
from thermo_hub.client.line import Line
from thermo_hub.client.requests import quoted


class AccountsOperations:
    """Operations of accounts."""

    def __init__(self, line: Line) -> None:
        self._line = line

    def sign_in(self, name: str, password: str) -> Named:
        """Come in by name and password.

        Roles: nobody is asked.
        """
        return self._line.ask("POST", "/api/sign-in", Named, body={"name": name, "password": password})

    def accept(self, token: str, password: str) -> Named:
        """Set a password of your own, by an invitation.

        Roles: nobody is asked.
        """
        return self._line.ask("POST", "/api/invitations/accept", Named, body={"token": token, "password": password})

    def change_password(self, before: str, after: str) -> Named:
        """Take another password; sign in again by it.

        Roles: every one.
        """
        return self._line.ask("POST", "/api/me/password", Named, body={"before": before, "after": after})

    def accounts(self) -> Accounts:
        """All accounts.

        Roles: administrator.
        """
        return self._line.ask("GET", "/api/accounts", Accounts)

    def invite(self, name: str, roles: Sequence[Role], *, wearables: Sequence[str] | None = None) -> Invited:
        """Invite somebody; the link lets them set a password once, within a week.

        Roles: administrator.
        """
        return self._line.ask(
            "POST", "/api/accounts", Invited, body={"name": name, "roles": roles, "wearables": wearables}
        )

    def set_roles(self, name: str, roles: Sequence[Role], *, closed: bool = False) -> Named:
        """Give an account other roles, or close it.

        Roles: administrator.
        """
        return self._line.ask("PUT", f"/api/accounts/{quoted(name)}", Named, body={"roles": roles, "closed": closed})

    def remove(self, name: str) -> Named:
        """Delete an account.

        Roles: administrator.
        """
        return self._line.ask("DELETE", f"/api/accounts/{quoted(name)}", Named)

    def assign(self, name: str, wearables: Sequence[str]) -> Assigned:
        """Have an account see these wearables and no others.

        Roles: administrator.
        """
        return self._line.ask("PUT", f"/api/accounts/{quoted(name)}/wearables", Assigned, body={"wearables": wearables})

    def end_visits(self, name: str) -> Named:
        """Have everybody who came in by an account sign in again.

        Roles: administrator.
        """
        return self._line.ask("DELETE", f"/api/accounts/{quoted(name)}/visits", Named)

    def roles(self) -> Routes:
        """Which role may use which route.

        Roles: administrator, engineer.
        """
        return self._line.ask("GET", "/api/roles", Routes)

    def accesses(self, wearable: str, *, most: int = 200) -> Looks:
        """Who looked at a wearable, or at all of them, newest first.

        Roles: administrator, carer, clinician, wearer.
        """
        return self._line.ask("GET", f"/api/accesses/{quoted(wearable)}", Looks, query={"most": most})

    def passkeys(self) -> PasskeysOf:
        """Your passkeys.

        Roles: every one.
        """
        return self._line.ask("GET", "/api/me/passkeys", PasskeysOf)

    def register(self, credential: dict[str, Any]) -> Named:
        """Keep the passkey that your browser made.

        Roles: every one.
        """
        return self._line.ask("POST", "/api/me/passkeys", Named, body={"credential": credential})

    def begin(self, password: str) -> PasskeyOptions:
        """Begin to make a passkey; your password shows that it is you.

        Roles: every one.
        """
        return self._line.ask("POST", "/api/me/passkeys/options", PasskeyOptions, body={"password": password})

    def forget(self, passkey: str) -> Named:
        """Forget one of your passkeys.

        Roles: every one.
        """
        return self._line.ask("DELETE", f"/api/me/passkeys/{quoted(passkey)}", Named)

    def forget_all(self, name: str) -> Named:
        """Forget all passkeys of an account.

        Roles: administrator.
        """
        return self._line.ask("DELETE", f"/api/accounts/{quoted(name)}/passkeys", Named)

    def challenge(self) -> PasskeyOptions:
        """Begin to come in by a passkey.

        Roles: nobody is asked.
        """
        return self._line.ask("POST", "/api/passkeys/options", PasskeyOptions)

    def come_in(self, credential: dict[str, Any]) -> Named:
        """Come in by a passkey.

        Roles: nobody is asked.
        """
        return self._line.ask("POST", "/api/passkeys/sign-in", Named, body={"credential": credential})


class AlertsOperations:
    """Operations of alerts."""

    def __init__(self, line: Line) -> None:
        self._line = line

    def alerts(
        self, *, state: str = "open", wearable: str = "", before_ms: int | None = None, most: int = 100
    ) -> Alerts:
        """Alerts, newest first.

        Roles: carer, clinician, wearer.
        """
        return self._line.ask(
            "GET",
            "/api/alerts",
            Alerts,
            query={"state": state, "wearable": wearable, "before_ms": before_ms, "most": most},
        )

    def all_channels(self) -> Channels:
        """Ways by which alerts call.

        Roles: administrator, carer, clinician, engineer, wearer.
        """
        return self._line.ask("GET", "/api/alerts/channels", Channels)

    def watched(self) -> Watched:
        """Wearables whose silence is an alert, and why rules cannot hold for one.

        Roles: administrator, carer, clinician, engineer, wearer.
        """
        return self._line.ask("GET", "/api/alerts/watched", Watched)

    def put_away(self, wearable: str) -> PutAway:
        """Nobody wears it: its silence is no alert until it joins again.

        Roles: administrator, carer, clinician, engineer, wearer.
        """
        return self._line.ask("POST", f"/api/alerts/watched/{quoted(wearable)}/put-away", PutAway)

    def rules(self, *, version: int | None = None) -> RulesText:
        """The rules that hold, or a version of them, as TOML.

        Roles: administrator, carer, clinician, engineer, wearer.
        """
        return self._line.ask("GET", "/api/alerts/rules", RulesText, query={"version": version})

    def change_rules(self, toml: str, expected: int) -> RulesVersion:
        """Write a new version of the rules; it holds from now on.

        Roles: administrator, clinician.
        """
        return self._line.ask("PUT", "/api/alerts/rules", RulesVersion, body={"toml": toml, "expected": expected})

    def exported(self) -> bytes:
        """The rules that hold, as a file.

        Roles: administrator, carer, clinician, engineer, wearer.
        """
        return self._line.ask("GET", "/api/alerts/rules.toml", bytes)

    def thresholds(self, wearable: str) -> Thresholds:
        """Thresholds of a wearer beside those for everybody, with who set them, when, and what they were before.

        Roles: administrator, carer, clinician, wearer.
        """
        return self._line.ask("GET", f"/api/alerts/thresholds/{quoted(wearable)}", Thresholds)

    def set_threshold(
        self,
        wearable: str,
        rule: str,
        when: str,
        *,
        clear: str | None = None,
        why: str = "",
        expected: int | None = None,
    ) -> RulesVersion:
        """Give a wearer a threshold of their own; a new version of the rules, which holds from now on.

        Roles: administrator, clinician.
        """
        return self._line.ask(
            "PUT",
            f"/api/alerts/thresholds/{quoted(wearable)}/{quoted(rule)}",
            RulesVersion,
            body={"when": when, "clear": clear, "why": why, "expected": expected},
        )

    def remove_threshold(self, wearable: str, rule: str) -> RulesVersion:
        """Give a wearer the threshold of everybody again.

        Roles: administrator, clinician.
        """
        return self._line.ask("DELETE", f"/api/alerts/thresholds/{quoted(wearable)}/{quoted(rule)}", RulesVersion)

    def test(self, *, channels: Sequence[str] = (), wearable: str = "") -> Alert:
        """Raise an alert that only shows that channels work.

        Roles: administrator, carer, clinician, engineer, wearer.
        """
        return self._line.ask("POST", "/api/alerts/test", Alert, body={"channels": channels, "wearable": wearable})

    def one(self, alert: str) -> WholeAlert:
        """An alert with all of its steps, and what was delivered of it.

        Roles: carer, clinician, wearer.
        """
        return self._line.ask("GET", f"/api/alerts/{quoted(alert)}", WholeAlert)

    def acknowledge(self, alert: str, *, note: str = "") -> Alert:
        """Say that you have seen it, and see to it: it calls nobody any more.

        Roles: carer, clinician, wearer.
        """
        return self._line.ask("POST", f"/api/alerts/{quoted(alert)}/acknowledge", Alert, body={"note": note})

    def snooze(self, alert: str, minutes: float, *, note: str = "") -> Alert:
        """Have it call nobody for a while, whatever becomes of it meanwhile.

        Roles: carer, clinician, wearer.
        """
        return self._line.ask(
            "POST", f"/api/alerts/{quoted(alert)}/snooze", Alert, body={"note": note, "minutes": minutes}
        )


class ApiOperations:
    """Operations of api."""

    def __init__(self, line: Line) -> None:
        self._line = line

    def openapi(self) -> dict[str, Any]:
        """This description, as OpenAPI.

        Roles: every one.
        """
        return self._line.ask("GET", "/api/openapi.json", dict[str, Any])


class DevicesOperations:
    """Operations of devices."""

    def __init__(self, line: Line) -> None:
        self._line = line

    def device(self, wearable: str) -> Device:
        """Everything a wearable says of itself, with its counters, and the job that it had last.

        Roles: administrator, engineer.
        """
        return self._line.ask("GET", f"/api/devices/{quoted(wearable)}", Device)

    def self_test(self, wearable: str) -> Job:
        """Have it test itself; a job.

        Roles: administrator, engineer.
        """
        return self._line.ask("POST", f"/api/devices/{quoted(wearable)}/self-test", Job)

    def reset(self, wearable: str) -> Job:
        """Restart it; a job.

        Roles: administrator, engineer.
        """
        return self._line.ask("POST", f"/api/devices/{quoted(wearable)}/reset", Job)

    def flash(self, wearable: str, data: bytes) -> Job:
        """Put a signed bundle on it, try it, keep it only where the wearable is well with it; a job. The body is the image.

        Roles: administrator, engineer.
        """
        return self._line.ask("POST", f"/api/devices/{quoted(wearable)}/flash", Job, content=data)

    def calibrate(
        self,
        wearable: str,
        *,
        set_points: Sequence[float] = (30.0, 37.0),
        quick: bool = False,
        uncertainty_k: float = 0.1,
        sensor: str = "",
    ) -> Job:
        """Calibrate it before a blackbody, in a bath or in positions; a job, which asks for readings and whether to write.

        Roles: administrator, engineer.
        """
        return self._line.ask(
            "POST",
            f"/api/devices/{quoted(wearable)}/calibrate",
            Job,
            body={"set_points": set_points, "quick": quick, "uncertainty_k": uncertainty_k, "sensor": sensor},
        )

    def job(self, wearable: str) -> JobNow:
        """How its job stands; it is told while the wearable itself has no time to answer.

        Roles: administrator, engineer.
        """
        return self._line.ask("GET", f"/api/devices/{quoted(wearable)}/job", JobNow)

    def reply(self, wearable: str, words: str) -> Job:
        """Answer what its job asks.

        Roles: administrator, engineer.
        """
        return self._line.ask("POST", f"/api/devices/{quoted(wearable)}/job/answer", Job, body={"words": words})

    def end_job(self, wearable: str) -> Job:
        """End its job at the next step.

        Roles: administrator, engineer.
        """
        return self._line.ask("POST", f"/api/devices/{quoted(wearable)}/job/end", Job)

    def acknowledge(self, wearable: str, alert: str) -> SeenAlert:
        """Tell a wearable that somebody has seen one of its alerts.

        Roles: administrator, carer, clinician, engineer, wearer.
        """
        return self._line.ask("POST", f"/api/devices/{quoted(wearable)}/acknowledge", SeenAlert, body={"alert": alert})


class FhirOperations:
    """Operations of fhir."""

    def __init__(self, line: Line) -> None:
        self._line = line

    def exported(self, wearable: str, from_ms: int, to_ms: int) -> bytes:
        """What was measured, said and called about, as a FHIR R4 bundle of a pseudonym; refused without the wearer's consent.

        Roles: clinician.
        """
        return self._line.ask("GET", f"/api/fhir/{quoted(wearable)}", bytes, query={"from_ms": from_ms, "to_ms": to_ms})

    def consents(self, wearable: str) -> Consents:
        """What the wearer agrees to, and all that was said of it.

        Roles: administrator, carer, clinician, wearer.
        """
        return self._line.ask("GET", f"/api/fhir/{quoted(wearable)}/consents", Consents)

    def say_consent(self, wearable: str, purpose: Purpose, given: bool, *, note: str = "") -> Consents:
        """Give the wearer's consent for a purpose, or withdraw it, which is never refused.

        Roles: administrator, wearer.
        """
        return self._line.ask(
            "PUT",
            f"/api/fhir/{quoted(wearable)}/consents/{quoted(purpose)}",
            Consents,
            body={"given": given, "note": note},
        )

    def estimates(self, wearable: str, *, most: int = 100) -> Estimates:
        """Hours of what models estimate in degC, and who confirmed them.

        Roles: clinician.
        """
        return self._line.ask("GET", f"/api/fhir/{quoted(wearable)}/estimates", Estimates, query={"most": most})

    def confirm(
        self, wearable: str, series: str, start_ms: int, *, value: float | None = None, note: str = ""
    ) -> Confirmed:
        """Confirm an hour's estimate of a model: it leaves the hub as a body temperature then, derived from the estimate.

        Roles: clinician.
        """
        return self._line.ask(
            "POST",
            f"/api/fhir/{quoted(wearable)}/confirmations",
            Confirmed,
            body={"series": series, "start_ms": start_ms, "value": value, "note": note},
        )

    def all_sendings(self, wearable: str) -> Sendings:
        """What was sent of the wearable to the FHIR server, with every try.

        Roles: administrator, clinician.
        """
        return self._line.ask("GET", f"/api/fhir/{quoted(wearable)}/sendings", Sendings)

    def send_again(self, wearable: str) -> Again:
        """Have what waits or has failed sent at once.

        Roles: administrator, clinician.
        """
        return self._line.ask("POST", f"/api/fhir/{quoted(wearable)}/sendings/again", Again)


class IngestOperations:
    """Operations of ingest."""

    def __init__(self, line: Line) -> None:
        self._line = line

    def facts(self) -> Ingested:
        """How taking of records stands: what came, what had come before, and why the broker cannot be reached.

        Roles: administrator, engineer.
        """
        return self._line.ask("GET", "/api/ingest", Ingested)


class LiveOperations:
    """Operations of live."""

    def __init__(self, line: Line) -> None:
        self._line = line

    def me(self) -> Me:
        """Who the visitor is, and what their requests that change something must carry.

        Roles: every one.
        """
        return self._line.ask("GET", "/api/me", Me)

    def wearables(self) -> Wearables:
        """Every wearable that is here and that the visitor sees, and ports behind which none answers.

        Roles: carer, clinician, wearer.
        """
        return self._line.ask("GET", "/api/wearables", Wearables)

    def drawing(self) -> Drawing:
        """What pages draw with: colours of temperatures, coldest first, and the outlines of a body's segments.

        Roles: every one.
        """
        return self._line.ask("GET", "/api/drawing", Drawing)

    def rename(self, wearable: str, label: str) -> Labelled:
        """Call a wearable something.

        Roles: administrator, carer, clinician, engineer, wearer.
        """
        return self._line.ask("PUT", f"/api/wearables/{quoted(wearable)}/label", Labelled, body={"label": label})


class MqttOperations:
    """Operations of mqtt."""

    def __init__(self, line: Line) -> None:
        self._line = line

    def lines(self) -> Lines:
        """How the lines to the broker stand: what waits, what was lost, and why a broker cannot be reached.

        Roles: administrator, engineer.
        """
        return self._line.ask("GET", "/api/mqtt", Lines)


class PicturesOperations:
    """Operations of pictures."""

    def __init__(self, line: Line) -> None:
        self._line = line

    def rests(self, wearable: str, model: str) -> RestsOn:
        """What the newest finding of a model rests on: the part of the picture without which it would say so less.

        Roles: carer, clinician, wearer.
        """
        return self._line.ask("GET", f"/api/wearables/{quoted(wearable)}/rests/{quoted(model)}", RestsOn)

    def svg(self, wearable: str, signal: str) -> bytes:
        """The newest picture, annotated, as SVG.

        Roles: carer, clinician, wearer.
        """
        return self._line.ask("GET", f"/api/wearables/{quoted(wearable)}/pictures/{quoted(signal)}.svg", bytes)

    def png(self, wearable: str, signal: str) -> bytes:
        """The newest picture, annotated, as PNG.

        Roles: carer, clinician, wearer.
        """
        return self._line.ask("GET", f"/api/wearables/{quoted(wearable)}/pictures/{quoted(signal)}.png", bytes)


class RecordingsOperations:
    """Operations of recordings."""

    def __init__(self, line: Line) -> None:
        self._line = line

    def start(self, wearable: str, *, subject: str = "", note: str = "") -> Recorder:
        """Begin to record a wearable.

        Roles: carer, clinician, wearer.
        """
        return self._line.ask(
            "POST", f"/api/wearables/{quoted(wearable)}/recording", Recorder, body={"subject": subject, "note": note}
        )

    def end(self, wearable: str) -> Recorder:
        """End the recording of a wearable.

        Roles: carer, clinician, wearer.
        """
        return self._line.ask("DELETE", f"/api/wearables/{quoted(wearable)}/recording", Recorder)

    def mark(self, wearable: str, *, text: str = "") -> Marked:
        """Mark this moment in the recording of a wearable.

        Roles: carer, clinician, wearer.
        """
        return self._line.ask("POST", f"/api/wearables/{quoted(wearable)}/recording/mark", Marked, body={"text": text})

    def recordings(self) -> Recordings:
        """All recordings that the visitor sees, the newest first, and those that are being made; a researcher gets pseudonyms.

        Roles: carer, clinician, researcher, wearer.
        """
        return self._line.ask("GET", "/api/recordings", Recordings)

    def look(self, recording: str) -> Looked:
        """A recording as a page shows it.

        Roles: carer, clinician, researcher, wearer.
        """
        return self._line.ask("GET", f"/api/recordings/{quoted(recording)}", Looked)

    def frames(self, recording: str, signal: str) -> bytes:
        """Pictures of a recording one after another, each as it travels to live pages.

        Roles: carer, clinician, researcher, wearer.
        """
        return self._line.ask("GET", f"/api/recordings/{quoted(recording)}/pictures/{quoted(signal)}", bytes)

    def rests(self, recording: str, model: str, at_ms: float) -> RestsOn:
        """What a model's finding at a moment of a recording rests on: the part of the picture without which it would say so less.

        Roles: carer, clinician, researcher, wearer.
        """
        return self._line.ask(
            "GET", f"/api/recordings/{quoted(recording)}/rests/{quoted(model)}", RestsOn, query={"at_ms": at_ms}
        )

    def file(self, recording: str) -> bytes:
        """The recording itself; a researcher gets a copy that names nobody.

        Roles: carer, clinician, researcher, wearer.
        """
        return self._line.ask("GET", f"/api/recordings/{quoted(recording)}/file", bytes)

    def bundles(self) -> KnownBundles:
        """Bundles that recordings can be run with: those installed, and those flashed or given here.

        Roles: carer, clinician, researcher, wearer.
        """
        return self._line.ask("GET", "/api/bundles", KnownBundles)

    def give_bundle(self, data: bytes) -> GivenBundle:
        """Have recordings run with a signed bundle; the body is its image. It is put on no wearable.

        Roles: administrator, clinician, engineer, researcher.
        """
        return self._line.ask("POST", "/api/bundles", GivenBundle, content=data)

    def run_again(self, recording: str, bundle: str) -> RunAgain:
        """Compute a recording again with another bundle, and tell where that says something else. One at a time.

        Roles: carer, clinician, researcher, wearer.
        """
        return self._line.ask("POST", f"/api/recordings/{quoted(recording)}/again", RunAgain, body={"bundle": bundle})


class ReviewOperations:
    """Operations of review."""

    def __init__(self, line: Line) -> None:
        self._line = line

    def queue(self, *, state: str = "mine") -> Queue:
        """Windows that wait for this reader, or all of them; the most urgent first.

        Roles: clinician, researcher.
        """
        return self._line.ask("GET", "/api/review", Queue, query={"state": state})

    def agreement(self) -> Agreements:
        """Cohen's kappa of each two readers, with its interval, over all classes and for each against the rest.

        Roles: clinician, researcher.
        """
        return self._line.ask("GET", "/api/review/agreement", Agreements)

    def exported(self, profile: str, *, model: str = "", decided: bool = False) -> bytes:
        """What was read of a wearable and its wearers have agreed to training with, as the file that `thermo-models train --labels` takes.

        Roles: clinician, researcher.
        """
        return self._line.ask(
            "GET", "/api/review/labels.npz", bytes, query={"profile": profile, "model": model, "decided": decided}
        )

    def window(self, item: str) -> WholeWindow:
        """A window as a reader may see it: its signals, and of opinions those that are theirs to see.

        Roles: clinician, researcher.
        """
        return self._line.ask("GET", f"/api/review/{quoted(item)}", WholeWindow)

    def finding(self, item: str) -> Finding:
        """What the model said of a window; refused to whoever has not read it yet.

        Roles: clinician, researcher.
        """
        return self._line.ask("GET", f"/api/review/{quoted(item)}/finding", Finding)

    def frames(self, item: str, signal: str) -> bytes:
        """Pictures of a window one after another, each as it travels to live pages.

        Roles: clinician, researcher.
        """
        return self._line.ask("GET", f"/api/review/{quoted(item)}/pictures/{quoted(signal)}", bytes)

    def step(
        self,
        item: str,
        kind: Literal["first", "kept", "changed", "revised", "adjudicated"],
        expected: int,
        *,
        opinion: OpinionSaid | None = None,
    ) -> ReadWindow:
        """Say what you see; each step is kept, and none is changed.

        Roles: clinician.
        """
        return self._line.ask(
            "POST",
            f"/api/review/{quoted(item)}/steps",
            ReadWindow,
            body={"kind": kind, "opinion": opinion, "expected": expected},
        )


class TrendsOperations:
    """Operations of trends."""

    def __init__(self, line: Line) -> None:
        self._line = line

    def trended(self) -> Trended:
        """Wearables that the visitor sees and of which there are trends, whether they are here or away.

        Roles: carer, clinician, researcher, wearer.
        """
        return self._line.ask("GET", "/api/trends", Trended)

    def series(self, wearable: str) -> AllSeries:
        """What there are trends of.

        Roles: carer, clinician, researcher, wearer.
        """
        return self._line.ask("GET", f"/api/trends/{quoted(wearable)}/series", AllSeries)

    def trends(
        self, wearable: str, from_ms: int, to_ms: int, *, name: Sequence[str] | None = None, width: str = "auto"
    ) -> Trends:
        """Minutes, hours or days of some series in a window, as columns.

        Roles: carer, clinician, researcher, wearer.
        """
        return self._line.ask(
            "GET",
            f"/api/trends/{quoted(wearable)}",
            Trends,
            query={"from_ms": from_ms, "to_ms": to_ms, "name": name, "width": width},
        )

    def baseline(self, wearable: str, name: str, *, at_ms: int | None = None) -> Usual:
        """What is usual of this wearer in each hour of a day, of the days before it.

        Roles: carer, clinician, researcher, wearer.
        """
        return self._line.ask(
            "GET", f"/api/trends/{quoted(wearable)}/baseline", Usual, query={"name": name, "at_ms": at_ms}
        )

    def nights(self, wearable: str, *, count: int = 14) -> Nights:
        """The last nights, each as one stretch from noon to noon.

        Roles: carer, clinician, researcher, wearer.
        """
        return self._line.ask("GET", f"/api/trends/{quoted(wearable)}/nights", Nights, query={"count": count})


class Operations:
    """All operations, by the part of the hub.

    Args:
        line: to the hub.
    """

    def __init__(self, line: Line) -> None:
        self.accounts = AccountsOperations(line)
        self.alerts = AlertsOperations(line)
        self.api = ApiOperations(line)
        self.devices = DevicesOperations(line)
        self.fhir = FhirOperations(line)
        self.ingest = IngestOperations(line)
        self.live = LiveOperations(line)
        self.mqtt = MqttOperations(line)
        self.pictures = PicturesOperations(line)
        self.recordings = RecordingsOperations(line)
        self.review = ReviewOperations(line)
        self.trends = TrendsOperations(line)
