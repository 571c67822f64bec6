"""The calibration report as one self-contained HTML page: no scripts, no files beside it, prints well."""

from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime
from html import escape
from importlib import resources
from math import isnan

import numpy as np
from thermo_core.profile import NOTICE

from thermo_host.calibrate.agreement import Agreement
from thermo_host.calibrate.heatmap import DIVERGING, Scale, data_uri, png, spanning, symmetric
from thermo_host.calibrate.observation import Flags, Floats
from thermo_host.calibrate.pixels import bad_mask
from thermo_host.calibrate.procedure import HoldOut, Outcome

HISTOGRAM_BINS = 60


def page(outcome: Outcome, written: bool) -> str:
    """The whole page."""
    style = (resources.files("thermo_host.calibrate") / "report.css").read_text(encoding="utf-8")
    title = f"Calibration of {outcome.subject.name} {outcome.subject.sensor_id.hex()}"
    sections = [
        _head(outcome, written),
        _objections(outcome),
        _figures(outcome),
        _hold_outs(outcome),
        _maps(outcome),
        _set_points(outcome),
        _thermistors(outcome),
        _bad_pixels(outcome),
        _budget(outcome),
        _method(outcome),
    ]
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<style>{style}</style></head><body><main>{''.join(sections)}"
        f"<footer>{escape(NOTICE)}</footer></main></body></html>\n"
    )


def _head(outcome: Outcome, written: bool) -> str:
    subject = outcome.subject
    when = datetime.fromtimestamp(outcome.created_unix_s, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    if outcome.objections:
        badge = '<span class="badge bad">refused, not written</span>'
    elif written:
        badge = '<span class="badge good">written and read back</span>'
    else:
        badge = '<span class="badge plain">not written</span>'
    facts = [
        ("Wearable", f"{subject.name} ({subject.profile}), serial {subject.serial}"),
        ("Sensor", subject.sensor_id.hex()),
        ("Measured", when),
        ("Reference", f"{outcome.reference}{', simulated hardware' if subject.simulated else ''}"),
        ("Decoding", f"emissivity {subject.emissivity:g}, reflected {_reflected(subject.reflected)}"),
        ("Software", subject.software),
    ]
    cells = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in facts)
    heading = "Calibration report" if outcome.fit else "Verification report"
    return f"<header><h1>{heading}{badge}</h1><dl>{cells}</dl></header>"


def _objections(outcome: Outcome) -> str:
    if not outcome.objections:
        return ""
    return f'<section class="alert"><h2>Why it was refused</h2>{_list(outcome.objections)}</section>'


def _figures(outcome: Outcome) -> str:
    tiles = [
        ("Hold-out RMSE", f"{outcome.before.rmse:.3f} → {outcome.after.rmse:.3f} K", "all 768 pixels, never fitted"),
        ("Averaging noise within it", f"{outcome.after.noise:.3f} K", f"without: {outcome.after.without_noise:.3f} K"),
        ("Noise of one picture", f"{outcome.noise.median:.3f} K", f"centre {outcome.noise.centre:.3f} K (NETD)"),
        (
            "Bad pixels",
            str(len(outcome.bad_pixels)),
            "interpolated from neighbours" if outcome.bad_pixels else "every pixel is used",
        ),
    ]
    if outcome.budget:
        single = f"single picture {outcome.budget.expanded_single:.2f} K"
        tiles.insert(2, ("Uncertainty, k = 2", f"{outcome.budget.expanded:.3f} K", single))
    boxes = "".join(
        f'<div class="tile"><div class="name">{escape(name)}</div><div class="value">{escape(value)}</div>'
        f'<div class="note">{escape(note)}</div></div>'
        for name, value, note in tiles
    )
    return f'<section class="tiles">{boxes}</section>'


def _hold_outs(outcome: Outcome) -> str:
    marked = bad_mask(outcome.bad_pixels)
    rows = []
    for hold_out in outcome.hold_outs:
        name = outcome.label(hold_out)
        rows += [_agreement_row(name, "before", hold_out.before), _agreement_row("", "after", hold_out.after)]
    if len(outcome.hold_outs) > 1:
        rows += [_agreement_row("all", "before", outcome.before), _agreement_row("", "after", outcome.after)]
    table = _table(
        ("Hold-out (°C)", "", "RMSE (K)", "max (K)", "mean bias (K)", "uniformity (K)", "averaging noise (K)"),
        rows,
        words=(0, 1),
    )
    pictures = "".join(
        _before_after(hold_out, f"{outcome.label(hold_out)} °C", marked) for hold_out in outcome.hold_outs
    )
    return (
        "<section><h2>Before and after, at points the fit never saw</h2>"
        f"{table}<p>RMSE holds the noise left by averaging a finite number of pictures; the last column says how much. "
        "Uniformity is the standard deviation over the pixels. Heights of the distributions are square roots.</p>"
        f"{pictures}</section>"
    )


def _before_after(hold_out: HoldOut, name: str, marked: Flags) -> str:
    scale = symmetric(hold_out.error_before)
    small = symmetric(hold_out.error_after)
    return (
        '<div class="row">'
        + _figure(f"{name}: error before", hold_out.error_before, scale, "K")
        + _figure("after, same scale", hold_out.error_after, scale, "K", marked)
        + _figure("after, own scale", hold_out.error_after, small, "K", marked)
        + _histogram(hold_out)
        + "</div>"
    )


def _maps(outcome: Outcome) -> str:
    correction = outcome.correction
    gain = correction.gain.astype(np.float64)
    middle = float(np.mean([observation.reference for observation in outcome.observations]))
    shift = correction.offset.astype(np.float64) + (gain - 1) * middle
    span = float(np.percentile(np.abs(gain - 1), 99)) or 0.01
    marked = bad_mask(outcome.bad_pixels)
    figures = [
        _figure("Noise of one picture (NETD)", outcome.noise.netd, spanning(outcome.noise.netd), "K", marked),
        _figure("Gain b", gain, Scale(1 - span, 1 + span, DIVERGING), "", marked),
        _figure(f"Shift at {middle:.0f} °C", shift, symmetric(shift), "K", marked),
        _figure(
            "Slope with Ta, c", correction.ta_slope.astype(np.float64), symmetric(correction.ta_slope), "K/K", marked
        ),
    ]
    return (
        f'<section><h2>Maps</h2><div class="row">{"".join(figures)}</div>'
        "<p>Row 0 at the top, as the sensor reports it. Green pixels are interpolated.</p></section>"
    )


def _set_points(outcome: Outcome) -> str:
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
        "pictures",
        "time (s)",
        "drift (K/min)",
        "noise of mean (K)",
        *(("run",) if merged else ()),
    )
    checks = _list(f"Warm-up: {check}" for check in outcome.warm_ups)
    return f"<section><h2>Set-points</h2>{_table(headings, rows, words=(0,))}{checks}</section>"


def _thermistors(outcome: Outcome) -> str:
    if not outcome.thermistors:
        return ""
    rows = [fit.cells() for fit in outcome.thermistors]
    headings = (
        "channel",
        "fit before (K)",
        "after",
        "hold-out before (K)",
        "after",
        "a",
        "b",
        "c",
        "how",
    )
    return f"<section><h2>Thermistors</h2>{_table(headings, rows, words=(0, len(headings) - 1))}</section>"


def _bad_pixels(outcome: Outcome) -> str:
    if not outcome.bad_pixels:
        return ""
    rows = [(str(pixel.row), str(pixel.column), pixel.kind, pixel.reason) for pixel in outcome.bad_pixels]
    return f"<section><h2>Bad pixels</h2>{_table(('row', 'column', 'kind', 'reason'), rows, words=range(4))}</section>"


def _budget(outcome: Outcome) -> str:
    budget = outcome.budget
    if budget is None:
        return ""
    largest = max(component.standard for component in budget.components) or 1.0
    rows = [
        (
            component.name,
            f"{component.standard:.4f}",
            component.kind,
            component.basis,
            f'<div class="bar" style="width:{100 * component.standard / largest:.0f}%"></div>',
        )
        for component in budget.components
    ]
    body = "".join(
        f"<tr><td>{escape(a)}</td><td class=n>{b}</td><td>{c}</td><td>{escape(d)}</td><td class=w>{e}</td></tr>"
        for a, b, c, d, e in rows
    )
    return (
        "<section><h2>Uncertainty budget (GUM)</h2><table><thead><tr><th>component</th>"
        "<th class=n>standard u (K)</th><th>type</th><th>basis</th><th></th></tr></thead>"
        f"<tbody>{body}</tbody><tfoot><tr><td>combined</td><td class=n>{budget.combined:.4f}</td><td></td>"
        f"<td>expanded, k = 2: U = {budget.expanded:.3f} K for one pixel of an average of {budget.pictures} pictures; "
        f"{budget.expanded_single:.2f} K in a single picture</td><td></td></tr></tfoot></table></section>"
    )


def _method(outcome: Outcome) -> str:
    lines = [
        "Pictures are decoded with the wearable's own emissivity and reflected temperature, uncorrected, and averaged; "
        "the correction is applied to exactly such temperatures at the device and at the host.",
    ]
    fit = outcome.fit
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
    return f"<section><h2>Method</h2>{_list(lines)}</section>"


def _figure(caption: str, values: Floats, scale: Scale, unit: str, marked: Flags | None = None) -> str:
    space = f"&nbsp;{unit}" if unit else ""
    digits = 2 if scale.high - scale.low >= 0.1 else 3
    return (
        f"<figure><figcaption>{escape(caption)}</figcaption>"
        f'<img alt="{escape(caption)}" src="{data_uri(png(values, scale, marked))}">'
        f'<div class="scale" style="background:{scale.css_gradient()}"></div>'
        f'<div class="ends"><span>{scale.low:.{digits}f}</span><span>{scale.high:.{digits}f}{space}</span></div>'
        "</figure>"
    )


def _histogram(hold_out: HoldOut) -> str:
    """Errors before (grey) and after (blue) as inline SVG; the few beyond the ends are counted in the end bins."""
    size = float(np.percentile(np.abs(hold_out.error_before), 99.5)) or 1.0
    edges = np.linspace(-size, size, HISTOGRAM_BINS + 1)
    width, height = 240.0, 150.0
    paths = []
    for name, error in (("before", hold_out.error_before), ("after", hold_out.error_after)):
        counts, _ = np.histogram(np.clip(error, -size, size), edges)
        tops = np.sqrt(counts / 768)
        step = width / HISTOGRAM_BINS
        points = [f"0,{height}"]
        for number, top in enumerate(tops):
            y = height - top * (height - 8)
            points += [f"{number * step:.1f},{y:.1f}", f"{(number + 1) * step:.1f},{y:.1f}"]
        points.append(f"{width},{height}")
        paths.append(f'<polygon class="{name}" points="{" ".join(points)}"/>')
    return (
        '<figure><figcaption>Distribution of errors <span class="key before">before</span> '
        '<span class="key after">after</span></figcaption>'
        f'<svg viewBox="0 0 {width:.0f} {height:.0f}" role="img" aria-label="distribution of errors">'
        f'{"".join(paths)}<line x1="{width / 2}" x2="{width / 2}" y1="0" y2="{height}"/></svg>'
        f'<div class="ends"><span>{-size:.2f}</span><span>{size:.2f}&nbsp;K</span></div></figure>'
    )


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


def _table(headings: Sequence[str], rows: Iterable[Sequence[str]], words: Collection[int]) -> str:
    """Columns `words` hold words, the others figures."""
    kinds = ["" if number in words else " class=n" for number in range(len(headings))]
    head = "".join(f"<th{kind}>{escape(heading)}</th>" for kind, heading in zip(kinds, headings, strict=True))
    body = "".join(
        f"<tr{' class=after' if 'after' in row else ''}>"
        + "".join(f"<td{kind}>{escape(cell)}</td>" for kind, cell in zip(kinds, row, strict=True))
        + "</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _list(lines: Iterable[str]) -> str:
    return "<ul>" + "".join(f"<li>{escape(line)}</li>" for line in lines) + "</ul>"


def _reflected(celsius: float | None) -> str:
    return "Ta − 8 K" if celsius is None else f"{celsius:g} °C"
