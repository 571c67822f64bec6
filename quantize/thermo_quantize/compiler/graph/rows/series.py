"""Stages that look back: over a window of time, or over the rows of one."""

import itertools
from collections.abc import Mapping

import numpy as np

from thermo_core.signals import GAP_PERIODS
from thermo_core.stages import (
    average,
    bandpass,
    contact_gate,
    forward_fill,
    motion_gate,
    paired_recovery,
    recovery,
    slope,
    spectrum_peak,
    statistics,
    step_removal,
)
from thermo_core.stages.bandpass import Bandpass
from thermo_core.stages.contact_gate import ContactGate
from thermo_core.stages.hold import Hold
from thermo_core.stages.integral import Integral
from thermo_core.stages.motion_gate import MotionGate
from thermo_core.stages.paired_recovery import PairedRecovery
from thermo_core.stages.resample import Resample
from thermo_core.stages.slope import Slope
from thermo_core.stages.spectrum_peak import SpectrumPeak
from thermo_core.stages.statistics import Statistics
from thermo_core.stages.step_removal import StepRemoval
from thermo_core.stages.subtract_background import SubtractBackground
from thermo_core.stages.window import Window
from thermo_quantize.compiler.graph.row import FLOAT, IN_PLACE, ORDER_SCRATCH, Row, Site
from thermo_quantize.compiler.graph.tables import Tables, boolean, real, whole
from thermo_quantize.compiler.memory import ANYWHERE

_ORDER = f"sizeof(struct order_scratch) == {ORDER_SCRATCH}"

BANDPASS_COLUMN = 40
"""Bytes of `struct bandpass_column`."""

RESAMPLE_STEP = 16
"""Bytes of `struct resample_step`."""


def _average(site: Site, tables: Tables) -> Mapping[str, str]:
    inverse, factor = average.factors(site.stage)
    return {"inverse": real(inverse), "factor": real(factor), "pictures": str(site.stage.pictures)}


def _average_keeps(site: Site) -> int:
    pictures: int = site.stage.pictures
    return 2 * (pictures + pictures % 2) * site.input.elements


def _bandpass(site: Site, tables: Tables) -> Mapping[str, str]:
    stage: Bandpass = site.stage
    found = bandpass.sections(stage.low_hz, stage.high_hz, stage.order, site.input.rate_hz)
    name = site.name("sections")
    rows = "\n".join(f"    {{{real(one.b)}, {real(one.a1)}, {real(one.a2)}}}," for one in found)
    tables.texts.append(f"static const struct bandpass_section {name}[] = {{\n{rows}\n}};")
    tables.bytes += 12 * len(found)
    return {"sections": name, "count": str(len(found))}


def _contact_gate(site: Site, tables: Tables) -> Mapping[str, str]:
    stage: ContactGate = site.stage
    return {
        "step": real(stage.step),
        "behind": str(contact_gate.behind(stage, site.input)),
        "held": str(contact_gate.held(stage, site.input)),
    }


def _forward_fill(site: Site, tables: Tables) -> Mapping[str, str]:
    return {"oldest_us": whole(forward_fill.oldest_us(site.stage))}


def _hold(site: Site, tables: Tables) -> Mapping[str, str]:
    stage: Hold = site.stage
    return {"oldest_us": whole(stage.oldest_us)}


def _integral(site: Site, tables: Tables) -> Mapping[str, str]:
    stage: Integral = site.stage
    return {"factor": real(stage.factor)}


def _motion_gate(site: Site, tables: Tables) -> Mapping[str, str]:
    stage: MotionGate = site.stage
    return {"threshold": real(stage.threshold), "hold_us": whole(motion_gate.hold_us(stage))}


def _paired_recovery(site: Site, tables: Tables) -> Mapping[str, str]:
    stage: PairedRecovery = site.stage
    bins = site.input.shape[1]
    found = paired_recovery.tables(stage, bins)
    triangle = found.white[np.tril_indices(bins)]
    named = ("points", "halves", "levels", "usual", "tight", "logs", "shares")
    return {
        **{name: tables.reals(site.name(name), getattr(found, name)) for name in named},
        "white": tables.reals(site.name("white"), triangle),
        "delay_s": real(stage.delay_s),
        "bins": str(bins),
        "nodes": str(site.input.shape[0]),
    }


def _recovery(site: Site, tables: Tables) -> Mapping[str, str]:
    return {
        "duration_s": real(recovery.duration_s(site.input)),
        "clear": real(site.stage.clear),
        "rows": str(site.input.shape[0]),
        "pace": str(site.spacing_pace),
    }


def _resample(site: Site, tables: Tables) -> Mapping[str, str]:
    stage: Resample = site.stage
    return {
        "period_us": whole(stage.period_us),
        "least_gap_us": whole(GAP_PERIODS * stage.period_us),
        "last": boolean(stage.by == "last"),
        "room": str(site.room),
    }


def _resample_gives(site: Site) -> int:
    stage: Resample = site.stage
    return stage.gap_us(site.input) // stage.period_us + 1 if stage.by == "last" else 1


def _resample_keeps(site: Site) -> int:
    values = FLOAT * site.input.elements
    at_hand = values if site.stage.by == "last" else 2 * values
    return site.room * (RESAMPLE_STEP + values) + at_hand


def _slope(site: Site, tables: Tables) -> Mapping[str, str]:
    stage: Slope = site.stage
    return {
        "span_ms": f"{slope.span_ms(stage)}U",
        "factor": real(slope.factor(stage)),
        "length": str(slope.length(stage, site.input)),
    }


def _spectrum_peak(site: Site, tables: Tables) -> Mapping[str, str]:
    stage: SpectrumPeak = site.stage
    pulse, rows = site.input, site.input.shape[0]
    rates = spectrum_peak.rates(stage)
    return {
        "rates": tables.reals(site.name("rates"), rates),
        "cosines": tables.reals(site.name("cosines"), spectrum_peak.cosines(stage, pulse)),
        "taper": tables.reals(site.name("taper"), spectrum_peak.taper(rows)),
        "step": real(stage.step_bpm),
        "motion_factor": real(spectrum_peak.motion_factor(stage, rows)),
        "narrowness": real(np.float32(1) / np.float32(stage.track_bpm)),
        "least_quality": real(stage.least_quality),
        "count": str(len(rates)),
        "rows": str(rows),
        "lobe": str(spectrum_peak.lobe(stage, pulse)),
    }


def _spectrum_peak_scratch(site: Site) -> int:
    return FLOAT * (2 * len(spectrum_peak.rates(site.stage)) + site.input.shape[0])


def _statistics(site: Site, tables: Tables) -> Mapping[str, str]:
    stage: Statistics = site.stage
    along_time = stage.over == "time"
    rows = site.input.shape[0] if along_time else site.input.elements
    terms = []
    for text in stage.give:
        parts = statistics.terms(text)
        for term, follower in itertools.zip_longest(parts, parts[1:]):
            what = "PERCENTILE" if term.what == "p" else term.what.upper()
            count = term.length(rows)
            square = statistics.square_of_times(count) if term.what == "slope" else 0.0
            terms.append(
                f"    {{STATISTIC_{what}, {term.rows.indices(rows)[0]}, {count}, {term.number}, "
                f"{real(square)}, {boolean(follower is not None)}}},"
            )
    name = site.name("terms")
    tables.texts.append(f"static const struct statistics_term {name}[] = {{\n" + "\n".join(terms) + "\n};")
    tables.bytes += 24 * len(terms)
    return {
        "terms": name,
        "rows": str(rows),
        "spacing_s": real(site.input.spacing_s if along_time else 1.0),
        "pace": str(site.spacing_pace if along_time else 0),
        "results": str(len(stage.give)),
    }


def _statistics_scratch(site: Site) -> int:
    whats = {term.what for text in site.stage.give for term in statistics.terms(text)}
    return ORDER_SCRATCH if whats & {"median", "p"} else 0


def _step_removal(site: Site, tables: Tables) -> Mapping[str, str]:
    stage: StepRemoval = site.stage
    return {
        "taps": tables.reals(site.name("taps"), step_removal.taps()),
        "threshold": real(step_removal.threshold(stage)),
        "least": real(stage.least),
        "first": str(step_removal.first(stage)),
        "rows": str(site.input.shape[0]),
    }


def _subtract_background(site: Site, tables: Tables) -> Mapping[str, str]:
    stage: SubtractBackground = site.stage
    return {
        "time_constant_us": whole(stage.time_constant_us),
        "least_us": whole(stage.least_us),
        "threshold": real(stage.threshold),
        "median": boolean(stage.by == "median"),
        "mask": boolean(stage.give == "mask"),
        "patience_s": str(stage.patience_s),
    }


def _window(site: Site, tables: Tables) -> Mapping[str, str]:
    stage: Window = site.stage
    return {"length": str(stage.length), "every": str(stage.every)}


ROWS: Mapping[str, Row] = {
    "average": Row(_average, state=True, keeps=_average_keeps, overlap=ANYWHERE),
    "bandpass": Row(
        _bandpass,
        keeps=lambda site: BANDPASS_COLUMN * site.input.elements,
        overlap=IN_PLACE,
        assumes=f"sizeof(struct bandpass_column) == {BANDPASS_COLUMN}",
    ),
    "contact_gate": Row(
        _contact_gate,
        state=True,
        keeps=lambda site: FLOAT * (contact_gate.behind(site.stage, site.input) + 1) * site.input.elements,
        overlap=IN_PLACE,
    ),
    "forward_fill": Row(_forward_fill, keeps=lambda site: (8 + FLOAT) * site.input.elements),
    "hold": Row(_hold, state=True, keeps=lambda site: FLOAT * site.input.elements, kept_output=True),
    "integral": Row(_integral, state=True, keeps=lambda site: 2 * FLOAT * site.input.elements),
    "motion_gate": Row(_motion_gate, state=True),
    "paired_recovery": Row(_paired_recovery, scratch=lambda site: FLOAT * paired_recovery.room(*site.input.shape)),
    "recovery": Row(_recovery, scratch=lambda site: FLOAT * site.input.shape[0]),
    "resample": Row(
        _resample,
        state=True,
        keeps=_resample_keeps,
        gives=_resample_gives,
        assumes=f"sizeof(struct resample_step) == {RESAMPLE_STEP}",
    ),
    "slope": Row(
        _slope,
        state=True,
        keeps=lambda site: slope.length(site.stage, site.input) * (8 + FLOAT * site.input.elements),
        overlap=ANYWHERE,
    ),
    "spectrum_peak": Row(_spectrum_peak, state=True, scratch=_spectrum_peak_scratch),
    "statistics": Row(_statistics, scratch=_statistics_scratch, assumes=_ORDER, paced=frozenset({"spacing_s"})),
    "step_removal": Row(
        _step_removal, scratch=lambda site: ORDER_SCRATCH + FLOAT * site.input.shape[0], assumes=_ORDER
    ),
    "subtract_background": Row(
        _subtract_background,
        state=True,
        keeps=lambda site: (FLOAT + 2) * site.input.elements,
    ),
    "window": Row(
        _window,
        state=True,
        keeps=lambda site: FLOAT * site.stage.length * site.input.elements,
        kept_output=True,
    ),
}
"""By the name a profile calls the operation."""
