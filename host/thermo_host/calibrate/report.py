"""What is kept of a calibration: report.json (runs are merged from it), report.html, and the terminal's table."""

import json
from math import isnan
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from thermo_core.errors import StorageError
from thermo_core.files import read_file, write_file
from thermo_core.wearable.profile import NOTICE
from thermo_host.calibrate import html
from thermo_host.calibrate.agreement import Agreement
from thermo_host.calibrate.fit import PixelFit
from thermo_host.calibrate.observation import Observation
from thermo_host.calibrate.outcome import CameraFit, Outcome
from thermo_host.calibrate.source import Subject
from thermo_host.calibrate.stability import Slope, WarmUp
from thermo_host.moments import utc_of_second

FORMAT = "thermo-edge calibration report"
VERSION = 2


def utc(unix_s: int) -> str:
    """ISO 8601 with zone."""
    return utc_of_second(unix_s)


def summary(outcome: Outcome, written: bool) -> dict[str, object]:
    """The figures without the maps: what `--json` prints."""
    camera = outcome.camera
    return {
        "format": FORMAT,
        "version": VERSION,
        "created": utc(outcome.created_unix_s),
        "subject": outcome.subject.to_map(),
        "reference": outcome.reference,
        "settings": outcome.settings.to_map(),
        "verified": outcome.verified,
        "accepted": not outcome.objections,
        "objections": list(outcome.objections),
        "written": written,
        "warm_up": [_warm_up(check) for check in outcome.warm_ups],
        **({} if camera is None else _camera(camera)),
        "sensors": [fit.to_map() for fit in outcome.sensors],
        "notice": NOTICE,
    }


def full(outcome: Outcome, written: bool) -> dict[str, object]:
    """The figures with every map: what report.json holds."""
    camera = outcome.camera
    maps = {}
    if camera is not None:
        maps = {
            "offset_c": _rows(camera.correction.offset),
            "gain": _rows(camera.correction.gain, 6),
            "ta_slope": _rows(camera.correction.ta_slope, 6),
            "netd_k": _rows(camera.noise.netd),
        }
    return summary(outcome, written) | {
        "maps": maps,
        "observations": [observation.to_map() for observation in outcome.observations],
    }


def _camera(camera: CameraFit) -> dict[str, object]:
    return {
        "before": camera.before.to_map(),
        "after": camera.after.to_map(),
        "hold_outs": [
            {
                "reference_c": round(hold_out.observation.reference, 4),
                "ta_c": round(hold_out.observation.ta, 3),
                "pictures": hold_out.observation.pictures,
                "before": hold_out.before.to_map(),
                "after": hold_out.after.to_map(),
            }
            for hold_out in camera.hold_outs
        ],
        "noise": {
            "netd_median_k": round(camera.noise.median, 4),
            "netd_centre_k": round(camera.noise.centre, 4),
            "netd_max_k": round(camera.noise.largest, 4),
            "pictures": camera.noise.pictures,
        },
        "bad_pixels": [pixel.to_map() for pixel in camera.bad_pixels],
        "fit": _fit(camera.fit),
        "uncertainty": camera.budget.to_map() if camera.budget else None,
    }


def prepare(directory: Path) -> None:
    """Make the folder of a report before a long measurement finds that it cannot be made.

    Raises StorageError where it cannot be made, or holds an earlier report, which would be lost.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(
            f"The folder {directory} cannot be made ({error.strerror}); choose another with --output."
        ) from error
    if (directory / "report.json").exists():
        raise StorageError(f"{directory} holds the report of an earlier calibration; choose another with --output.")


def save(outcome: Outcome, written: bool, directory: Path) -> tuple[Path, Path]:
    """Write report.json and report.html into `directory`, each whole or not at all.

    Raises StorageError where they cannot be written.
    """
    report_json, report_html = directory / "report.json", directory / "report.html"
    write_file(report_json, json.dumps(full(outcome, written), allow_nan=False).encode())
    write_file(report_html, html.page(outcome, written).encode())
    return report_json, report_html


def load_observations(path: Path, subject: Subject, run: int) -> list[Observation]:
    """The observations of an earlier report.json.

    Raises StorageError where it is no such report, or belongs to another sensor or EEPROM.
    """
    try:
        data = json.loads(read_file(path))
    except (ValueError, RecursionError) as error:
        raise StorageError(f"{path} is not JSON; give a report.json of an earlier calibration to --merge.") from error
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise StorageError(f"{path} is no calibration report; give a report.json of an earlier calibration to --merge.")
    if data.get("version") != VERSION:
        raise StorageError(
            f"{path} is a report of version {data.get('version')} and this is version {VERSION}; calibrate again."
        )
    about = data.get("subject")
    difference = subject.difference(about.get("sensors") if isinstance(about, dict) else None)
    if difference:
        raise StorageError(f"{path} {difference}; merge runs of the same sensors only.")
    observations = data.get("observations")
    if not isinstance(observations, list):
        raise StorageError(f"{path} holds no observations; give a report.json as thermo-host wrote it.")
    return [Observation.from_map(observation, run) for observation in observations]


def terminal(outcome: Outcome) -> RenderableType:
    """The before/after table and what else a user must know, for a rich console."""
    parts: list[RenderableType] = []
    lines: list[str] = []
    camera = outcome.camera
    if camera is not None:
        parts.append(_table(camera))
        lines += [
            f"Noise of a picture (NETD): median {camera.noise.median:.3f} K, centre {camera.noise.centre:.3f} K, "
            f"largest {camera.noise.largest:.3f} K",
            f"Bad pixels: {len(camera.bad_pixels)}",
        ]
        lines += [
            f"  row {pixel.row}, column {pixel.column}: {pixel.kind}, {pixel.reason}" for pixel in camera.bad_pixels
        ]
    for fit in outcome.sensors:
        name = fit.target.settings.name
        lines += [f"{name if len(fit.numbers) == 1 else f'{name} {one.name}'}: {one}" for one in fit.numbers]
    if camera is not None and camera.budget:
        lines.append(
            f"Uncertainty (k = 2): {camera.budget.expanded:.3f} K over {camera.budget.pictures} pictures, "
            f"{camera.budget.expanded_single:.2f} K for a pixel of a single one"
        )
    lines.append(NOTICE)
    return Group(*parts, Text("\n".join(lines)))


def _table(camera: CameraFit) -> Table:
    table = Table(title="Hold-out points, never fitted (K)", title_justify="left")
    for heading in ("degC", "", "RMSE", "max", "bias", "uniformity", "averaging noise"):
        table.add_column(heading, justify="left" if not heading else "right")
    for hold_out in camera.hold_outs:
        _pair(table, camera.label(hold_out), hold_out.before, hold_out.after)
    if len(camera.hold_outs) > 1:
        table.add_section()
        _pair(table, "all", camera.before, camera.after)
    return table


def _pair(table: Table, name: str, before: Agreement, after: Agreement) -> None:
    for label, row, style in (("before", before, "dim"), ("after", after, "bold")):
        table.add_row(
            name if label == "before" else "",
            label,
            f"{row.rmse:.3f}",
            f"{row.largest:.3f}",
            f"{row.bias:+.3f}",
            f"{row.uniformity:.3f}",
            f"{row.noise:.3f}",
            style=style,
        )


def _fit(fit: PixelFit | None) -> dict[str, object] | None:
    if fit is None:
        return None
    return {
        "model": "T = a + b x + c (Ta - 25)",
        "gain_median": round(float(np.median(fit.gain)), 5),
        "gain_sd": round(float(fit.gain.std()), 5),
        "residual_rms_k": None if isnan(fit.residual_rms) else round(fit.residual_rms, 5),
        "set_point_residuals_k": [round(value, 5) for value in fit.set_point_residuals],
        "noise_share": [round(value, 4) for value in fit.shrinkage],
        "ambients": fit.ambients,
        "degrees_of_freedom": fit.degrees_of_freedom,
        "uncertainty_rms_k": round(float(np.sqrt((fit.uncertainty**2).mean())), 5),
    }


def _warm_up(check: WarmUp) -> dict[str, object]:
    return {
        "skipped": check.skipped,
        "verdict": check.verdict,
        "seconds": round(check.seconds, 2),
        "ta": _slope(check.ta),
        "picture": _slope(check.mean),
    }


def _slope(slope: Slope) -> dict[str, object] | None:
    if slope.seconds == 0:
        return None
    return {
        "k_per_min": round(slope.k_per_min, 5),
        "u_k_per_min": round(slope.uncertainty, 5),
        "seconds": slope.seconds,
    }


def _rows(values: NDArray[np.floating[Any]], digits: int = 4) -> object:
    return np.round(np.asarray(values, np.float64), digits).tolist()
