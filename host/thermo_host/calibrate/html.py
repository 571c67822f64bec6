"""The calibration report as one self-contained HTML page: no scripts, no files beside it, prints well."""

from datetime import UTC, datetime
from functools import lru_cache
from importlib import resources
from math import isnan
from typing import Any

import jinja2
import numpy as np

from thermo_core.wearable.profile import NOTICE
from thermo_host.calibrate.agreement import Agreement
from thermo_host.calibrate.heatmap import DIVERGING, Scale, data_uri, png, spanning, symmetric
from thermo_host.calibrate.observation import Flags, Floats
from thermo_host.calibrate.outcome import CameraFit, HoldOut, Outcome
from thermo_host.calibrate.pixels import bad_mask
from thermo_host.calibrate.uncertainty import Budget

HISTOGRAM_BINS = 60
WIDTH, HEIGHT = 240, 150
HEADINGS = ("number", "fit before", "fit after", "hold-out before", "hold-out after", "unit", "constants", "how")
MOST_TILES = 5


def page(outcome: Outcome, written: bool) -> str:
    """The whole page."""
    subject, camera = outcome.subject, outcome.camera
    return _template("report.html.j2").render(
        title=f"Calibration of {subject.name} {subject.lead.id.hex()}",
        style=_style("report.css"),
        heading="Verification report" if outcome.verified else "Calibration report",
        badge=_badge(outcome, written),
        facts=_facts(outcome),
        objections=outcome.objections,
        tiles=_sensor_tiles(outcome) if camera is None else _tiles(camera),
        camera=None if camera is None else _camera(outcome, camera),
        set_points=_set_points(outcome),
        sensors=[
            {
                "name": f"{fit.target.settings.name} ({fit.target.settings.kind})",
                "headings": HEADINGS,
                "words": (0, 5, 6, 7),
                "rows": [one.cells() for one in fit.numbers],
            }
            for fit in outcome.sensors
        ],
        budget=None if camera is None or camera.budget is None else _budget(camera.budget),
        method=_method(outcome),
        notice=NOTICE,
    )


@lru_cache(maxsize=4)
def _template(name: str) -> jinja2.Template:
    # Names come from wearables and profiles, so every value is escaped.
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    text = (resources.files("thermo_host.calibrate") / name).read_text(encoding="utf-8")
    return environment.from_string(text)


def _style(name: str) -> Any:
    from markupsafe import Markup

    return Markup((resources.files("thermo_host.calibrate") / name).read_text(encoding="utf-8"))


def _badge(outcome: Outcome, written: bool) -> tuple[str, str]:
    if outcome.objections:
        return "bad", "refused, not written"
    return ("good", "written and read back") if written else ("plain", "not written")


def _facts(outcome: Outcome) -> list[tuple[str, str]]:
    subject = outcome.subject
    when = datetime.fromtimestamp(outcome.created_unix_s, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    sensors = ", ".join(f"{one.settings.name} {one.id.hex()}".strip() for one in subject.targets)
    reflected = "Ta − 8 K" if subject.reflected is None else f"{subject.reflected:g} °C"
    return [
        ("Wearable", f"{subject.name} ({subject.profile}), serial {subject.serial}"),
        ("Sensors", sensors),
        ("Measured", when),
        ("Reference", f"{outcome.reference}{', simulated hardware' if subject.simulated else ''}"),
        *([("Decoding", f"emissivity {subject.emissivity:g}, reflected {reflected}")] if outcome.camera else []),
        ("Software", subject.software),
    ]


def _tiles(camera: CameraFit) -> list[tuple[str, str, str]]:
    tiles = [
        ("Hold-out RMSE", f"{camera.before.rmse:.3f} → {camera.after.rmse:.3f} K", "all 768 pixels, never fitted"),
        ("Averaging noise within it", f"{camera.after.noise:.3f} K", f"without: {camera.after.without_noise:.3f} K"),
        ("Noise of one picture", f"{camera.noise.median:.3f} K", f"centre {camera.noise.centre:.3f} K (NETD)"),
        (
            "Bad pixels",
            str(len(camera.bad_pixels)),
            "interpolated from neighbours" if camera.bad_pixels else "every pixel is used",
        ),
    ]
    if camera.budget:
        single = f"single picture {camera.budget.expanded_single:.2f} K"
        tiles.insert(2, ("Uncertainty, k = 2", f"{camera.budget.expanded:.3f} K", single))
    return tiles


def _sensor_tiles(outcome: Outcome) -> list[tuple[str, str, str]]:
    """Of a wearable without a camera: each number that was corrected, as many as fit in a line."""
    found = []
    for fit in outcome.sensors:
        for one in fit.numbers:
            if one.constants is not None and not isnan(one.hold_out_after):
                name = fit.target.settings.name if len(fit.numbers) == 1 else f"{fit.target.settings.name} {one.name}"
                digits = 3 if one.unit == "K" else 4
                value = f"{one.hold_out_before:.{digits}f} → {one.hold_out_after:.{digits}f} {one.unit}"
                found.append((f"Hold-out error of {name}", value, "at points that were never fitted"))
    return found[:MOST_TILES]


def _camera(outcome: Outcome, camera: CameraFit) -> dict[str, Any]:
    marked = bad_mask(camera.bad_pixels)
    agreements = []
    for hold_out in camera.hold_outs:
        name = camera.label(hold_out)
        agreements += [_agreement_row(name, "before", hold_out.before), _agreement_row("", "after", hold_out.after)]
    if len(camera.hold_outs) > 1:
        agreements += [_agreement_row("all", "before", camera.before), _agreement_row("", "after", camera.after)]
    return {
        "agreements": agreements,
        "hold_outs": [
            {
                "figures": _before_after(hold_out, f"{camera.label(hold_out)} °C", marked),
                "histogram": _histogram(hold_out),
            }
            for hold_out in camera.hold_outs
        ],
        "maps": _maps(outcome, camera, marked),
        "bad_pixels": [(str(one.row), str(one.column), one.kind, one.reason) for one in camera.bad_pixels],
    }


def _before_after(hold_out: HoldOut, name: str, marked: Flags) -> list[dict[str, str]]:
    scale, small = symmetric(hold_out.error_before), symmetric(hold_out.error_after)
    return [
        _figure(f"{name}: error before", hold_out.error_before, scale, "K"),
        _figure("after, same scale", hold_out.error_after, scale, "K", marked),
        _figure("after, own scale", hold_out.error_after, small, "K", marked),
    ]


def _maps(outcome: Outcome, camera: CameraFit, marked: Flags) -> list[dict[str, str]]:
    correction = camera.correction
    gain = correction.gain.astype(np.float64)
    middle = float(np.mean([observation.reference for observation in outcome.observations]))
    shift = correction.offset.astype(np.float64) + (gain - 1) * middle
    span = float(np.percentile(np.abs(gain - 1), 99)) or 0.01
    slope = correction.ta_slope.astype(np.float64)
    return [
        _figure("Noise of one picture (NETD)", camera.noise.netd, spanning(camera.noise.netd), "K", marked),
        _figure("Gain b", gain, Scale(1 - span, 1 + span, DIVERGING), "", marked),
        _figure(f"Shift at {middle:.0f} °C", shift, symmetric(shift), "K", marked),
        _figure("Slope with Ta, c", slope, symmetric(slope), "K/K", marked),
    ]


def _set_points(outcome: Outcome) -> dict[str, Any] | None:
    if not outcome.observations:
        return None
    merged = any(observation.run for observation in outcome.observations)
    rows = [
        (
            observation.role,
            f"{observation.reading:.2f}",
            f"{observation.reference:.2f}",
            f"{observation.ta:.2f}",
            str(observation.pictures),
            f"{observation.seconds:.1f}",
            f"{observation.slope:+.3f} ± {observation.slope_u:.3f}",
            f"{observation.noise_of_mean:.3f}",
            *((str(observation.run),) if merged else ()),
        )
        for observation in outcome.observations
    ]
    headings = (
        "role",
        "reading (°C)",
        "as seen (°C)",
        "Ta (°C)",
        "readings",
        "time (s)",
        "drift (K/min)",
        "noise of mean (K)",
        *(("run",) if merged else ()),
    )
    return {"headings": headings, "rows": rows, "checks": [f"Warm-up: {check}" for check in outcome.warm_ups]}


def _budget(budget: Budget) -> dict[str, Any]:
    largest = max(component.standard for component in budget.components) or 1.0
    return {
        "rows": [
            {
                "name": component.name,
                "standard": f"{component.standard:.4f}",
                "kind": component.kind,
                "basis": component.basis,
                "share": f"{100 * component.standard / largest:.0f}",
            }
            for component in budget.components
        ],
        "combined": f"{budget.combined:.4f}",
        "words": f"expanded, k = 2: U = {budget.expanded:.3f} K for one pixel of an average of {budget.pictures} pictures; "
        f"{budget.expanded_single:.2f} K in a single picture",
    }


def _method(outcome: Outcome) -> list[str]:
    lines = [
        "Readings are decoded with the wearable's own settings, uncorrected, and averaged; the correction is applied to exactly "
        "such numbers at the device and at the host."
    ]
    fit = None if outcome.camera is None else outcome.camera.fit
    if fit is not None:
        die = (
            "the influence of the die is fitted from several ambients"
            if fit.ambients > 1
            else "with one ambient, c follows from the gain: an error of sensitivity acts on the difference to the die"
        )
        shares = ", ".join(f"{100 * share:.0f} %" for share in fit.shrinkage)
        left = "no residual (as many constants as set-points)"
        if not isnan(fit.residual_rms):
            left = f"RMS residual at the set-points {fit.residual_rms:.3f} K"
        lines += [
            f"Each pixel: T = a + b x + c (Ta − 25); {die}.",
            f"Empirical Bayes removes the share of noise in the spread between pixels: {shares} (offset, gain"
            f"{', die' if fit.ambients > 1 else ''}); {left}.",
        ]
    if any(check.skipped for check in outcome.warm_ups):
        lines.append("The warm-up check was skipped on request.")
    return lines


def _figure(caption: str, values: Floats, scale: Scale, unit: str, marked: Flags | None = None) -> dict[str, str]:
    digits = 2 if scale.high - scale.low >= 0.1 else 3
    return {
        "caption": caption,
        "image": data_uri(png(values, scale, marked)),
        "gradient": scale.css_gradient(),
        "low": f"{scale.low:.{digits}f}",
        "high": f"{scale.high:.{digits}f}",
        "unit": unit,
    }


def _histogram(hold_out: HoldOut) -> dict[str, Any]:
    """Errors before (grey) and after (blue) as polygons; the few beyond the ends are counted in the end bins."""
    size = float(np.percentile(np.abs(hold_out.error_before), 99.5)) or 1.0
    edges = np.linspace(-size, size, HISTOGRAM_BINS + 1)
    polygons = []
    for name, error in (("before", hold_out.error_before), ("after", hold_out.error_after)):
        counts, _ = np.histogram(np.clip(error, -size, size), edges)
        step = WIDTH / HISTOGRAM_BINS
        points = [f"0,{HEIGHT}"]
        for number, top in enumerate(np.sqrt(counts / error.size)):
            y = HEIGHT - top * (HEIGHT - 8)
            points += [f"{number * step:.1f},{y:.1f}", f"{(number + 1) * step:.1f},{y:.1f}"]
        polygons.append((name, " ".join([*points, f"{WIDTH},{HEIGHT}"])))
    return {
        "width": WIDTH,
        "height": HEIGHT,
        "polygons": polygons,
        "low": f"{-size:.2f}",
        "high": f"{size:.2f}",
    }


def _agreement_row(name: str, label: str, figures: Agreement) -> tuple[str, ...]:
    return (
        name,
        label,
        f"{figures.rmse:.3f}",
        f"{figures.largest:.3f}",
        f"{figures.bias:+.3f}",
        f"{figures.uniformity:.3f}",
        f"{figures.noise:.3f}",
    )
