"""Rules: what a file may say, what is refused, and when each kind of watch calls."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from host_sessions import session_of, with_state
from hypothesis import given
from hypothesis import strategies as st

from thermo_core.errors import UsageError
from thermo_core.graph.alerts import AlertChange, AlertState
from thermo_core.quality import Quality
from thermo_core.recording.session import Session
from thermo_core.sensors.correction import Stamp, to_bytes
from thermo_core.sensors.mlx90640.correction import PixelCorrection
from thermo_core.wearable import file
from thermo_core.wearable.library import resolve
from thermo_core.wire.records import AlertRecord, FindingRecord
from thermo_core.wire.table import OutputKind
from thermo_host.sinks.statistics import Statistics
from thermo_hub.alerts.rule_files import RuleFiles
from thermo_hub.alerts.rules import OWN, RuleSet, defaults
from thermo_hub.alerts.silence import WHOLE, Silence
from thermo_hub.alerts.slopes import Slope
from thermo_hub.alerts.toml_text import to_toml
from thermo_hub.alerts.watcher import Turn, Watcher
from thermo_hub.events import Event, Found, Measured, Rolled, Sampled, Stepped

SECOND_NS = 1_000_000_000
NOW_NS = 1_700_000_000 * SECOND_NS


@pytest.fixture
def files(tmp_path: Path) -> RuleFiles:
    return RuleFiles(tmp_path / "rules", {"page": 0, "ward": 0})


@pytest.fixture(scope="module")
def patch_session() -> Session:
    return session_of(file.read(resolve("breast-patch")).profile, {})


def rules_of(files: RuleFiles, *more: str) -> RuleSet:
    return files.parse("\n".join(f"[[rules]]\n{one}" for one in more))


def watcher_of(session: Session, rules: RuleSet, age: float | None = None, raised: tuple[str, ...] = ()) -> Watcher:
    watcher = Watcher("w", lambda sensor: age)
    watcher.arm(session, rules, raised)
    return watcher


def sampled(session: Session, name: str, values: Any, at_s: float = 0, flags: int = 0) -> Sampled:
    signal = session.plan.signals[name]
    at_ns = NOW_NS + round(at_s * SECOND_NS)
    return Sampled("w", signal, at_ns, at_ns, np.asarray(values, np.float32).reshape(signal.shape), flags)


def told(watcher: Watcher, *events: Event) -> list[tuple[str, bool]]:
    turns: list[Turn] = []
    for event in events:
        turns += watcher.take(event)  # type: ignore[arg-type]
    return [(turn.rule.name, turn.begins) for turn in turns]


def test_versions_follow_each_other_and_none_is_changed(files: RuleFiles) -> None:
    assert files.newest() == (defaults(), "")
    first = files.add(lambda before: before, "Ann\x1b[31m")
    second = files.add(lambda before: msgspec.structs.replace(before, stale_after_s=2.5), "Bob", expected=1)
    assert (first.version, first.by, second.version, second.stale_after_s) == (1, "Ann", 2, 2.5)
    with pytest.raises(UsageError, match="Version 2 was made since version 1"):
        files.add(lambda before: before, "Ann", expected=1)
    assert files.read(1) == first
    assert files.parse(files.text(2)) == second
    with pytest.raises(UsageError, match="no version 9 of the rules; there is 0, 1, 2"):
        files.read(9)


def test_a_version_that_cannot_be_used_leaves_the_one_before(files: RuleFiles, tmp_path: Path) -> None:
    files.add(lambda before: before, "Ann")
    (tmp_path / "rules" / "000002.toml").write_text("version = 2\nrules = 7\n")
    found, wrong = files.newest()
    assert found.version == 1
    assert "000002.toml: rules" in wrong
    with pytest.raises(UsageError, match="remove that file first"):
        files.add(lambda before: before, "Ann")


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        ('name="a"\nwatch={kind="losses"}', "is no comparison"),
        ('name="a"\nwatch={kind="losses"}\nwhen="0.1"', "is no comparison"),
        ('name="a"\nwatch={kind="losses"}\nwhen="> 1e999"', "too large"),
        ('name="a"\nwatch={kind="losses"}\nwhen="> 0.1"\nclear="> 0.2"', "over while it holds"),
        ('name="a"\nwatch={kind="losses"}\nwhen="> 0.1"\nclear="< 0.2"', "over while it holds"),
        ('name="a"\nwatch={kind="losses"}\nwhen="> 0.1"\nchannels=["fax"]', "calls by 'fax'; there is page, ward"),
        ('name="stale"\nwatch={kind="age"}\nwhen="> 1"', "means something else"),
        ('name="own-a"\nwatch={kind="age"}\nwhen="> 1"', "means something else"),
        ('name="own-a"\nwatch={kind="profile", alert="a"}\nwhen="> 1"', "has its own condition"),
        ('name="a"\nwatch={kind="moon"}\nwhen="> 1"', "watch"),
        ('name="a"\nwatch={kind="slope", of={kind="age"}}\nwhen="> 1"', "watch.of"),
        ('name="a"\nwatch={kind="age"}\nwhen="> 1"\nquiet=[{from="25:00", to="07:00"}]', "quiet"),
        ('name="a"\nwatch={kind="age"}\nwhen="> 1"\nfoo=1', "foo"),
        (
            'name="a"\nwatch={kind="age"}\nwhen="> 1"\nescalation=[{after_s=9, channels=["page"]}, {after_s=3, channels=["page"]}]',
            "sort them",
        ),
    ],
)
def test_what_makes_no_rule_is_refused_in_a_sentence(files: RuleFiles, rule: str, reason: str) -> None:
    with pytest.raises(UsageError, match=reason) as refused:
        rules_of(files, rule)
    assert "\n" not in str(refused.value)


def test_two_rules_of_a_name_and_a_threshold_of_no_rule_are_refused(files: RuleFiles) -> None:
    one = 'name="a"\nwatch={kind="age"}\nwhen="> 1"'
    with pytest.raises(UsageError, match="two rules called a"):
        rules_of(files, one, one)
    with pytest.raises(UsageError, match="of no rule with a threshold"):
        files.parse('[[personal]]\nrule="b"\nwearable="w"\nwhen="> 1"')
    with pytest.raises(UsageError, match="no TOML"):
        files.parse("[[[")


TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=20)
VALUES = st.recursive(
    st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


@given(
    st.dictionaries(
        TEXTS, VALUES | st.lists(st.dictionaries(TEXTS, VALUES, max_size=3), min_size=1, max_size=3), max_size=4
    )
)
def test_toml_comes_back_as_it_was(data: dict[str, Any]) -> None:
    import tomllib

    assert tomllib.loads(to_toml(data)) == data


def test_each_kind_of_watch_calls_and_is_over(files: RuleFiles, patch_session: Session) -> None:
    session = patch_session
    cold, warm = np.full(768, 33.0), np.full(768, 33.0)
    warm.reshape(24, 32)[:, :8] = 36
    rules = rules_of(
        files,
        'name="signal"\nwatch={kind="signal", signal="spots", element=2}\nwhen="> 35 degC"\nclear="< 34 degC"',
        'name="region"\nwatch={kind="region", signal="skin", columns=[0, 8], of="p95"}\nwhen=">= 35 degC"',
        'name="side"\nwatch={kind="asymmetry", signal="skin", columns=[0, 8]}\nwhen="> 2 K"',
        'name="pair"\nwatch={kind="asymmetry", signal="spots", elements=[0, 1]}\nwhen="> 1 K"',
        'name="finding"\nwatch={kind="finding", model="lesion", output="lesion"}\nwhen="> 0.9"',
        'name="battery"\nwatch={kind="battery"}\nwhen="< 3 V"',
        'name="age"\nwatch={kind="age"}\nwhen="> 60 s"',
        'name="deviation"\nwatch={kind="deviation", series="skin.max"}\nwhen="> 1 K"',
    )
    watcher = watcher_of(session, rules, 61.0)
    assert not watcher.problems
    assert told(watcher, sampled(session, "spots", [33, 33, 35.5, 33])) == [("signal", True)]
    assert told(watcher, sampled(session, "spots", [33, 33, 34.5, 33])) == []  # hysteresis
    assert told(watcher, sampled(session, "spots", [35, 33, 33, 33])) == [("signal", False), ("pair", True)]
    assert set(told(watcher, sampled(session, "skin", warm))) == {("region", True), ("side", True)}
    assert set(told(watcher, sampled(session, "skin", cold))) == {("region", False), ("side", False)}
    assert told(watcher, sampled(session, "skin", warm, flags=int(Quality.OFF_SKIN))) == []
    assert told(watcher, sampled(session, "skin", cold * math.nan)) == []
    record = FindingRecord(0, 0, 0, 0, 0, 0, (), OutputKind.SCORES, (0.05, 0.95))
    assert told(watcher, Found("w", "lesion", NOW_NS, record, {})) == [("finding", True)]
    assert told(watcher, sampled(session, "skin.vdd", 2.9)) == [("battery", True)]
    assert told(watcher, measured(0)) == [("age", True)]
    assert told(watcher, Rolled("w", "skin.max", NOW_NS, 35, None), Rolled("w", "skin.max", NOW_NS, 35, 1.5)) == [
        ("deviation", True)
    ]


def measured(at_s: float, missing: int = 0, came: int = 0, silent: bool = False) -> Measured:
    statistics = Statistics({"skin": came}, {}, 0, missing, 0, 0, 0, 0, 0.0, 0, 0, None, None, None)
    return Measured("w", NOW_NS + round(at_s * SECOND_NS), 0.0, silent, statistics)


def test_losses_are_those_of_the_last_while(files: RuleFiles, patch_session: Session) -> None:
    watcher = watcher_of(
        patch_session, rules_of(files, 'name="l"\nwatch={kind="losses", over_s=10}\nwhen="> 0.1"\nclear="< 0.02"')
    )
    assert told(watcher, *(measured(at, 0, 8 * at) for at in range(20))) == []
    assert told(watcher, *(measured(20 + at, 2 * at, 160 + 8 * at) for at in range(12))) == [("l", True)]
    assert told(watcher, measured(33, 0, 0, silent=True)) == []
    assert told(watcher, *(measured(34 + at, 22, 248 + 8 * at) for at in range(14))) == [("l", False)]


def test_calibrations_grow_old_and_are_so_sure(files: RuleFiles, patch_session: Session) -> None:
    rules = rules_of(
        files,
        'name="old"\nwatch={kind="calibration_age"}\nwhen="> 365 d"',
        'name="unsure"\nwatch={kind="uncertainty", sensor="skin"}\nwhen="> 0.2 K"',
    )
    assert watcher_of(patch_session, rules).problems.keys() == {"unsure"}  # in K of nothing: it was never calibrated
    stamp = Stamp(b"", 1_600_000_000, 0.15)
    blob = to_bytes(PixelCorrection.identity(stamp))
    calibrated = with_state(replace(patch_session, corrections={0: blob}), 0, corrected=True)
    watcher = watcher_of(calibrated, rules)
    assert told(watcher, measured(0)) == [("old", True), ("unsure", True)]


def test_a_slope_is_that_of_the_line_and_says_nothing_too_early() -> None:
    slope = Slope(600)
    found = [slope.push(at, 30 + 1.5 * at / 3600) for at in range(1300)]
    early = [one for one in found[:480] if one is not None]
    late = [one for one in found[620:] if one is not None]
    assert all(math.isnan(one) for one in early)
    assert late and all(abs(one - 1.5) < 1e-6 for one in late)


def test_what_was_raised_before_is_not_raised_again_and_is_over_once(files: RuleFiles, patch_session: Session) -> None:
    rules = rules_of(files, 'name="s"\nwatch={kind="signal", signal="spots"}\nwhen="> 35 degC"')
    watcher = watcher_of(patch_session, rules, raised=("s",))
    warm, cold = sampled(patch_session, "spots", [36] * 4), sampled(patch_session, "spots", [33] * 4)
    assert told(watcher, warm, cold, cold) == [("s", False)]


def test_a_rule_that_does_not_fit_a_wearable_is_said_and_leaves_the_others(
    files: RuleFiles, patch_session: Session
) -> None:
    rules = rules_of(
        files,
        'name="a"\nwatch={kind="signal", signal="pulse"}\nwhen="> 1"',
        'name="b"\nwatch={kind="region", signal="spots"}\nwhen="> 1"',
        'name="c"\nwatch={kind="signal", signal="spots", element=9}\nwhen="> 1"',
        'name="d"\nwatch={kind="signal", signal="spots"}\nwhen="> 1 bpm"',
        'name="e"\nwatch={kind="finding", model="lesion", output="moon"}\nwhen="> 1"',
        'name="f"\nwatch={kind="signal", signal="spots"}\nwhen="> 35"',
        'name="g"\nwatch={kind="signal", signal="spots"}\nwhen="> 35"\nwearables=["other"]',
    )
    watcher = watcher_of(patch_session, rules)
    assert watcher.problems.keys() == set("abcde")
    assert watcher.names == {"f", f"{OWN}lesion"}


def test_a_threshold_of_one_wearer_holds_instead(files: RuleFiles, patch_session: Session) -> None:
    rules = files.parse(
        '[[rules]]\nname="s"\nwatch={kind="signal", signal="spots"}\nwhen="> 35 degC"\n'
        '[[personal]]\nrule="s"\nwearable="w"\nwhen="> 37 degC"\nwhy="runs warm"'
    )
    watcher = watcher_of(patch_session, rules)
    assert told(watcher, sampled(patch_session, "spots", [36] * 4)) == []
    (turn,) = watcher.take(sampled(patch_session, "spots", [38] * 4))
    assert (turn.personal, turn.condition) == (True, "> 37 degC")


def test_alerts_of_the_profile_are_the_wearables_own(files: RuleFiles, patch_session: Session) -> None:
    watcher = watcher_of(patch_session, defaults())

    def step(state: AlertState) -> Stepped:
        record = AlertRecord(0, AlertChange(0, state, 0, 0.75, 0))
        return Stepped("w", "lesion", NOW_NS, record, {})

    turns = [
        turn
        for state in (AlertState.PENDING, AlertState.RAISED, AlertState.ACKNOWLEDGED, AlertState.CLEAR)
        for turn in watcher.take(step(state))
    ]
    assert [(turn.rule.name, turn.begins, turn.acknowledged) for turn in turns] == [
        ("own-lesion", True, False),
        ("own-lesion", True, True),
        ("own-lesion", False, False),
    ]
    quiet = files.parse('[[rules]]\nname="own-x"\nwatch={kind="profile", alert="lesion"}\nenabled=false')
    assert watcher_of(patch_session, quiet).names == set()


def test_silence_is_of_a_sensor_or_of_the_whole_within_two_periods_and_five_seconds() -> None:
    silence = Silence(4.0)
    silence.watch("w", {"fast": 0.125, "slow": 2.0}, 0.0)
    for at in range(100):
        silence.heard("w", "fast", at / 8)
        silence.heard("w", "slow", at / 8)
    last = 99 / 8
    assert silence.silent("w", last + 4.2) == {}
    assert set(silence.silent("w", last + 4.26)) == {WHOLE}
    silence.heard("w", "fast", last + 8)
    assert set(silence.silent("w", last + 8.1)) == {"slow"}  # one sensor's silence is not hidden by another's talk
    silence.heard("w", "slow", last + 9)
    assert silence.silent("w", last + 9) == {}
    assert all(2 * period + silence.margin_s + 0.5 <= 2 * period + 5 for period in (0.125, 2.0))
    silence.watch("w", {"slow": 2.0}, last + 20)
    assert set(silence.silent("w", last + 20)) == {WHOLE}  # looking again does not make it younger
    silence.forget("w")
    assert silence.silent("w", last + 99) == {}
