"""The report as one HTML page that needs nothing else, with the noise of each layer as a picture (SVG)."""

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

from thermo_core.wearable.profile import NOTICE
from thermo_quantize.layers import LayerNoise, worst

_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;color:#1c2430;background:#fff;max-width:62rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.6rem;margin:0 0 .2rem}h2{font-size:1.1rem;margin:2rem 0 .5rem}
table{border-collapse:collapse;width:100%;font-size:.88rem}th,td{text-align:left;padding:.25rem .6rem;
border-bottom:1px solid #e3e7ec;vertical-align:top}th{color:#5b6675;font-weight:600}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}.facts{display:flex;flex-wrap:wrap;gap:.7rem;margin:1rem 0}
.fact{border:1px solid #e3e7ec;border-radius:.4rem;padding:.5rem .9rem}.fact b{display:block;font-size:1.15rem}
.fact span{color:#5b6675;font-size:.82rem}.bad{color:#b3261e}.good{color:#1a7f37}.notice{color:#5b6675}
svg{width:100%;height:auto}code{font-size:.85em;word-break:break-all}.wide{overflow-x:auto}
"""
_OWN, _ACCUMULATED, _WORST = "#4477aa", "#ccbb44", "#b3261e"
_ROW, _LEFT, _WIDE = 22, 250, 900


def noise_picture(noise: Sequence[LayerNoise]) -> str:
    """Bars of each layer's SQNR, own and accumulated, in the order they run."""
    top = max([60.0, *(min(value, 80.0) for one in noise for value in (one.own_db, one.accumulated_db) if value)])
    height = 46 + _ROW * max(1, len(noise))
    scale = (_WIDE - _LEFT - 60) / top
    low = worst(noise)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDE} {height}" font-family="system-ui,sans-serif" '
        f'font-size="11" role="img"><title>SQNR of each layer in dB</title>'
        f'<rect width="{_WIDE}" height="{height}" fill="#fff"/>'
        f'<rect x="{_LEFT}" y="6" width="10" height="10" fill="{_OWN}"/><text x="{_LEFT + 15}" y="15">own noise</text>'
        f'<rect x="{_LEFT + 90}" y="6" width="10" height="10" fill="{_ACCUMULATED}"/>'
        f'<text x="{_LEFT + 105}" y="15">accumulated</text>'
        f'<rect x="{_LEFT + 190}" y="6" width="10" height="10" fill="{_WORST}"/>'
        f'<text x="{_LEFT + 205}" y="15">own noise of the layer that loses most (SQNR in dB, more is better)</text>'
    ]
    for step in range(0, int(top) + 1, 10):
        x = _LEFT + step * scale
        parts.append(f'<line x1="{x:.1f}" y1="22" x2="{x:.1f}" y2="{height - 20}" stroke="#e3e7ec"/>')
        parts.append(f'<text x="{x:.1f}" y="{height - 7}" text-anchor="middle" fill="#5b6675">{step}</text>')
    for row, one in enumerate(noise):
        y = 26 + _ROW * row
        colour = _WORST if low is not None and one.operator == low.operator else _OWN
        label = f"{one.kind.lower()} {one.layer}"
        label = label if len(label) <= 38 else "…" + label[-37:]
        parts.append(f'<text x="{_LEFT - 6}" y="{y + 12}" text-anchor="end">{escape(label)}</text>')
        own = 0.0 if one.own_db is None else one.own_db
        for offset, value, fill in ((0, own, colour), (8, one.accumulated_db, _ACCUMULATED)):
            width = max(1.0, min(max(value, 0.0), top) * scale)
            parts.append(f'<rect x="{_LEFT}" y="{y + offset}" width="{width:.1f}" height="7" fill="{fill}"/>')
        end = _LEFT + min(max(own, one.accumulated_db, 0.0), top) * scale
        said = "-" if one.own_db is None else f"{own:.0f}"
        parts.append(f'<text x="{end + 4:.1f}" y="{y + 12}" fill="#5b6675">{said} / {one.accumulated_db:.0f}</text>')
    return "".join(parts) + "</svg>"


def page(report: dict[str, Any], noise: Sequence[LayerNoise]) -> str:
    """The page.

    Args:
        report: as `Result.to_dict` gives it.
        noise: of each layer.
    """
    model = report["model"]
    sections = [
        f"<h1>{escape(report['name'])}: {escape(report['scheme'])}</h1>",
        f'<p class="notice">{escape(NOTICE)}</p>',
        _facts(report),
        _evaluation(report["evaluation"]),
        "<h2>Noise by layer</h2>",
        f"<p>{_worst(noise)}</p>{noise_picture(noise)}",
        "<h2>Runtimes against the oracle</h2>",
        f"<p>{report['golden']['vectors']} golden vectors of {escape(report['golden']['oracle'])} stand beside the model. "
        "Below, other kernels on other vectors; a step is one unit of the logits, or of the output of models that have none.</p>",
        _matrix(report),
        "<h2>Input and output</h2>",
        _table(
            ("", "name", "shape", "type", "n:scale", "n:zero point"),
            [
                (
                    side,
                    end["name"],
                    "x".join(map(str, end["shape"])),
                    end["type"],
                    f"{end['scale']:.6g}",
                    end["zero_point"],
                )
                for side, ends in (("input", model["inputs"]), ("output", model["outputs"]))
                for end in ends
            ],
        ),
        _contract(report["contract"]),
        "<h2>Operators and engines</h2>",
        _engines(model),
        "<h2>Layers</h2>",
        _table(
            ("n:", "operator", "shape", "type", "n:MACs", "n:parameters", "n:bytes live"),
            [
                (
                    op["index"],
                    op["kind"],
                    "x".join(map(str, op["shape"])),
                    op["type"],
                    f"{op['macs']:,}",
                    f"{op['parameters']:,}",
                    f"{op['live_bytes']:,}",
                )
                for op in model["operators"]
            ],
        ),
        _representative(report["representative"]),
        _ranges(report),
        f"<p>Model <code>{model['sha256']}</code>, made with {escape(_versions(report['versions']))}.</p>",
    ]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(report['name'])} {escape(report['scheme'])}</title><style>{_STYLE}</style></head><body>"
        + "\n".join(sections)
        + "</body></html>\n"
    )


def _facts(report: dict[str, Any]) -> str:
    model = report["model"]
    facts = [
        (f"{model['bytes']:,} B", f"model ({report['float_bytes']:,} B as float)"),
        (f"{model['parameters']:,}", "parameters"),
        (f"{model['macs']:,}", "multiply-accumulates"),
        (f"{model['peak_activation_bytes']:,} B", f"peak activations (operator {model['peak_operator']})"),
        (f"{report['seconds']:.1f} s", "representative set and conversion"),
    ]
    return (
        '<div class="facts">'
        + "".join(f'<div class="fact"><b>{a}</b><span>{escape(b)}</span></div>' for a, b in facts)
        + "</div>"
    )


def _evaluation(found: dict[str, Any] | None) -> str:
    if found is None:
        return "<h2>Accuracy</h2><p>Not measured: no evaluation set was given.</p>"
    verdict = '<b class="good">passed</b>' if found["passed"] else '<b class="bad">failed</b>'
    rows = [
        (
            side,
            found[side]["metric"],
            f"{found[side]['value']:.4f}",
            _number(found[side]["auc"]),
            found[side]["samples"],
        )
        for side in ("float", "quantised")
    ]
    return (
        f"<h2>Accuracy</h2><p>Gate {verdict}: {found['drop']:+.2f} points lost, {found['max_drop']:g} allowed.</p>"
        + _table(("", "metric", "n:value", "n:AUC", "n:samples"), rows)
    )


def _worst(noise: Sequence[LayerNoise]) -> str:
    low = worst(noise)
    if low is None:
        return "Nothing is quantised."
    return f"<b>{escape(low.layer)}</b> ({escape(low.kind)}) loses most by itself: {low.own_db:.1f} dB."


def _versions(found: dict[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in found.items())


def _representative(found: dict[str, Any] | None) -> str:
    if found is None:
        return ""
    classes = ", ".join(f"{count} of class {name}" for name, count in found["by_class"].items())
    drawn = f" ({escape(classes)})" if classes else ""
    return (
        f"<h2>Representative set</h2><p>{len(found['rows'])} samples{drawn}, drawn with seed {found['seed']}; "
        f"representative.json names them. Fingerprint <code>{found['fingerprint']}</code></p>"
    )


def _matrix(report: dict[str, Any]) -> str:
    rows = []
    for row in report["runtimes"]:
        package = row["runtime"].split(" ")[0]
        latency = report["latency_us"].get(f"{package} {row['kernels']}")
        if row["problem"]:
            rows.append((row["runtime"], row["kernels"], "", "", "", row["problem"]))
            continue
        flips = "" if row["argmax_flips"] is None else f"{row['argmax_flips']} of {row['samples']}"
        cells = (f"{100 * row['differing']:.2f} %", f"{row['max_lsb']:.6g}", flips, _number(latency, 1))
        rows.append((row["runtime"], row["kernels"], *cells))
    return _table(("runtime", "kernels", "n:values that differ", "n:most steps", "n:argmax flips", "n:µs here"), rows)


def _contract(contract: dict[str, Any] | None) -> str:
    if contract is None:
        return "<p>No contract: only models that are int8 at both ends run on a wearable.</p>"
    given = contract.get("input") or next(iter(contract["inputs"].values()))
    alone = "" if "input" in contract else " A wearable runs models of one input and one output alone."
    return (
        f"<p>Unit of the input: {escape(given['unit'])}; orientation: {escape(given['orientation'])}. An input x is stored as "
        "round(x / scale) + zero point, halves to even, saturated to -128…127; "
        f"contract.json says so to device and firmware.{alone}</p>"
    )


def _engines(model: dict[str, Any]) -> str:
    names = list(next(iter(model["engines"].values())))
    counts: dict[str, int] = {}
    for operator in model["operators"]:
        counts[operator["kind"]] = counts.get(operator["kind"], 0) + 1
    rows = [
        (kind, counts[kind], *("yes" if found[name] else "no" for name in names))
        for kind, found in model["engines"].items()
    ]
    return "<p>Which engines have an int8 kernel. Where CMSIS-NN has none, TFLM's own runs.</p>" + _table(
        ("operator", "n:times", *names), rows
    )


def _ranges(report: dict[str, Any]) -> str:
    if not report["ranges"]:
        return ""
    rows = [
        (one["name"].split(";")[0], _span(one["seen"]), _span(one["chosen"]), f"{100 * one['clipped']:.4f} %")
        for one in report["ranges"]
    ]
    how = str(report["calibrator"])
    if how == "percentile":
        how += f" {report['settings']['percentile']:g}"
    title = f"<h2>Activation ranges ({escape(how)})</h2>"
    return title + _table(("tensor", "n:seen", "n:chosen", "n:clipped"), rows)


def _span(ends: Sequence[float]) -> str:
    return f"{ends[0]:.4g} … {ends[1]:.4g}"


def _number(value: float | None, digits: int = 4) -> str:
    return "" if value is None else f"{value:.{digits}f}"


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    kinds = [' class="n"' if name.startswith("n:") else "" for name in head]
    titles = "".join(
        f"<th{kind}>{escape(name.removeprefix('n:'))}</th>" for kind, name in zip(kinds, head, strict=True)
    )
    body = "".join(
        "<tr>" + "".join(f"<td{kind}>{escape(str(cell))}</td>" for kind, cell in zip(kinds, row, strict=True)) + "</tr>"
        for row in rows
    )
    return f'<div class="wide"><table><thead><tr>{titles}</tr></thead><tbody>{body}</tbody></table></div>'
