"""Turns what happens to wearables into what pages get; each thing is encoded once for all viewers."""

import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from thermo_core.quality import in_words
from thermo_host.screen.layout import layout, picture
from thermo_host.sinks.describe import number
from thermo_hub.events import Announced, Event, Found, Joined, Left, Measured, Returned, Sampled, Stepped, Told
from thermo_hub.live.frames import message, milliseconds, picture_frame
from thermo_hub.live.past import Past
from thermo_hub.live.shown import whole
from thermo_hub.live.viewers import Viewer
from thermo_hub.wearables.registry import Wearables

EVENTS_KEPT = 20
GAPS_KEPT = 20
BARE: Mapping[str, Mapping[str, Any]] = {name: {} for name in ("signals", "waves", "newest", "findings", "alerts")}
"""What is told of measurements to those who may not know them."""
TENDED = frozenset(("job",))
"""Kinds of announcements that tell nothing of a wearer."""
LATE_NS = 2_000_000_000
"""Samples of a wave come as late as this; pages drop those that they have."""


class _Seen:
    """The newest of one wearable."""

    def __init__(self) -> None:
        self.past = Past()
        self.told: dict[str, int] = {}
        self.waved_ns = 0
        self.pictures: dict[str, tuple[int, bytes]] = {}
        self.newest: dict[str, tuple[int, Any, int]] = {}
        self.findings: dict[str, dict[str, Any]] = {}
        self.alerts: dict[str, dict[str, Any]] = {}
        self.events: list[dict[str, Any]] = []
        self.gaps: list[dict[str, Any]] = []
        self.line: dict[str, Any] = {}
        self.news: set[str] = set()


class Presenter:
    """Knows the newest of every wearable, and tells viewers.

    Args:
        wearables: those that are here.

    Attributes:
        counts: pages that are open by the names of those who look.
    """

    def __init__(self, wearables: Wearables) -> None:
        self.counts: Counter[str] = Counter()
        self._wearables = wearables
        self._viewers: set[Viewer] = set()
        self._seen: dict[str, _Seen] = {}
        self._streams: dict[tuple[str, str], int] = {}
        self._handlers: Mapping[type[Event], Callable[[Any], None]] = {
            Joined: self._joined,
            Left: self._left,
            Returned: self._returned,
            Sampled: self._sampled,
            Found: self._found,
            Stepped: self._stepped,
            Told: self._told,
            Measured: self._measured,
            Announced: self._announced,
        }

    def take(self, event: Event) -> None:
        """Take an event; a handler of the bus."""
        handler = self._handlers.get(type(event))
        if handler is not None:
            handler(event)

    def open(self, viewer: Viewer) -> None:
        """Begin to tell a viewer what happens."""
        self._viewers.add(viewer)

    def close(self, viewer: Viewer) -> None:
        """Tell a viewer nothing more."""
        self._viewers.discard(viewer)

    @property
    def viewers(self) -> int:
        """How many look."""
        return len(self._viewers)

    def welcome(self, viewer: Viewer) -> None:
        """Tell a viewer how everything that it looks at stands now, with its past minutes."""
        known = [worn for worn in self._wearables.all() if viewer.sees(worn.id)]
        viewer.tell(
            message("wall", wearables=[worn.id for worn in known], shut=self._shut() if viewer.seen().is_all else [])
        )
        for worn in known:
            viewer.tell(self._session_message(worn.id, viewer.measures))
            seen = self._seen_of(worn.id)
            if not viewer.measures:
                viewer.tell(message("past", id=worn.id, **BARE, events=seen.events, gaps=seen.gaps, line=seen.line))
                continue
            viewer.tell(
                message(
                    "past",
                    id=worn.id,
                    signals=seen.past.to_map(),
                    waves=seen.past.waves(),
                    newest=self._newest(seen, list(seen.newest)),
                    findings=seen.findings,
                    alerts=seen.alerts,
                    events=seen.events,
                    gaps=seen.gaps,
                    line=seen.line,
                )
            )
            for stream, frame in seen.pictures.values():
                viewer.show(stream, frame, time.monotonic())

    def _shut(self) -> list[dict[str, str]]:
        return [{"port": one.port, "state": one.state, "reason": one.reason} for one in self._wearables.shut()]

    def _session_message(self, wearable: str, measures: bool = True) -> str:
        worn = self._wearables.get(wearable)
        assert worn is not None
        streams = {signal.name: self._stream(wearable, signal.name) for signal in layout(worn.session.plan).pictures}
        shown = whole(worn, streams)
        return message("session", **(shown if measures else {**shown, "person": {}}))

    def say_again(self, wearable: str) -> None:
        """Tell everybody anew what a wearable is, as after it was renamed."""
        self._tell(wearable, self._session_message(wearable), self._session_message(wearable, measures=False))

    def picture(self, wearable: str, signal: str) -> tuple[int, Any] | None:
        """Moment and values of the newest sample of a signal; None before the first."""
        newest = self._seen_of(wearable).newest.get(signal)
        return None if newest is None else newest[:2]

    def _stream(self, wearable: str, signal: str) -> int:
        return self._streams.setdefault((wearable, signal), len(self._streams))

    def _seen_of(self, wearable: str) -> _Seen:
        return self._seen.setdefault(wearable, _Seen())

    def _tell(self, wearable: str, text: str, bare: str | None = None) -> None:
        """Tell those who look at a wearable; `bare` is what those get who may not know what it measures, None is nothing."""
        for viewer in self._viewers:
            said = text if viewer.measures else bare
            if said is not None and (not wearable or viewer.sees(wearable)):
                viewer.tell(said)

    def _joined(self, event: Joined) -> None:
        if event.changes and "the profile" in event.changes:
            self._seen.pop(event.wearable, None)
        if self._wearables.get(event.wearable) is not None:
            self.say_again(event.wearable)

    def _left(self, event: Left) -> None:
        text = message("left", id=event.wearable, since=milliseconds(event.since_ns), reason=event.reason)
        self._tell(event.wearable, text, text)

    def _returned(self, event: Returned) -> None:
        gap = {"from": milliseconds(event.from_ns), "to": milliseconds(event.to_ns), "reason": event.reason}
        gaps = self._seen_of(event.wearable).gaps
        gaps.append(gap)
        del gaps[:-GAPS_KEPT]
        text = message("returned", id=event.wearable, gap=gap)
        self._tell(event.wearable, text, text)

    def _sampled(self, event: Sampled) -> None:
        seen, name = self._seen_of(event.wearable), event.signal.name
        seen.newest[name] = event.utc_ns, event.values, event.flags
        seen.past.add(event.signal, event.utc_ns, event.values)
        shown = picture(event.values) if event.signal.elements > 64 else event.values
        if shown.ndim == 2 and (event.wearable, name) in self._streams:
            stream = self._streams[event.wearable, name]
            frame = picture_frame(stream, event.utc_ns, shown)
            seen.pictures[name] = stream, frame
            now_s = time.monotonic()
            for viewer in self._viewers:
                if viewer.sees(event.wearable):
                    viewer.show(stream, frame, now_s)
        seen.news.add(name)

    def _found(self, event: Found) -> None:
        facts = {**event.facts, "utc": milliseconds(event.utc_ns)}
        seen = self._seen_of(event.wearable)
        seen.findings[event.model] = facts
        seen.news.add(f"finding {event.model}")

    def _stepped(self, event: Stepped) -> None:
        facts = {**event.facts, "utc": milliseconds(event.utc_ns)}
        self._seen_of(event.wearable).alerts[event.alert] = facts
        self._tell(event.wearable, message("device alert", id=event.wearable, alert=facts))

    def _told(self, event: Told) -> None:
        record = event.record
        told = {
            "utc": milliseconds(event.utc_ns),
            "severity": record.severity.name.lower(),
            "code": record.code,
            "count": record.count,
            "text": record.text,
        }
        # Of each kind the newest, which says how often it happened.
        events = self._seen_of(event.wearable).events
        events[:] = [*(one for one in events if one["code"] != record.code), told][-EVENTS_KEPT:]
        text = message("event", id=event.wearable, event=told)
        self._tell(event.wearable, text, text)

    def _measured(self, event: Measured) -> None:
        seen = self._seen_of(event.wearable)
        numbers = event.statistics
        seen.line = {
            **asdict(numbers),
            "missing": numbers.missing,
            "age_s": round(event.age_s, 1),
            "silent": event.silent,
            "stale": {name: round(age, 1) for name, age in event.stale.items()},
        }
        news, seen.news = seen.news, set()
        waved_ns, seen.waved_ns = seen.waved_ns, event.at_ns - LATE_NS
        self._tell(
            event.wearable,
            message(
                "pulse",
                id=event.wearable,
                at=milliseconds(event.at_ns),
                signals=seen.past.newest(seen.told, event.at_ns),
                waves=seen.past.waves(waved_ns),
                newest=self._newest(seen, [name for name in seen.newest if name in news]),
                findings={name: facts for name, facts in seen.findings.items() if f"finding {name}" in news},
                line=seen.line,
            ),
            message("pulse", id=event.wearable, at=milliseconds(event.at_ns), **BARE, line=seen.line),
        )

    def _announced(self, event: Announced) -> None:
        text = message(event.kind, **({"id": event.wearable} if event.wearable else {}), **event.data)
        self._tell(event.wearable, text, text if event.kind in TENDED else None)

    def _newest(self, seen: _Seen, names: list[str]) -> dict[str, dict[str, Any]]:
        """The newest samples of signals, those of pictures by what they range over."""
        found: dict[str, dict[str, Any]] = {}
        for name in names:
            utc_ns, values, flags = seen.newest[name]
            told: dict[str, Any] = {"utc": milliseconds(utc_ns), "flags": list(in_words(flags))}
            flat = np.asarray(values, np.float64).ravel()
            if flat.size > 64:
                known = flat[np.isfinite(flat)]
                if known.size:
                    told |= {
                        "min": number(known.min(), 2),
                        "mean": number(known.mean(), 2),
                        "max": number(known.max(), 2),
                    }
            else:
                told["values"] = [number(value) for value in flat.tolist()]
            found[name] = told
        return found
