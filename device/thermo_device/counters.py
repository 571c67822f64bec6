"""Named counts of everything that went wrong or was dropped, and the sentence each one means."""

import threading
from dataclasses import dataclass

from thermo_core.wire.records import Severity


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault that is counted and reported as an event.

    Attributes:
        code: number in event records, below 100; never reused.
        severity: INFO where nothing was lost, WARNING where something was, ERROR where somebody has to act.
        text: what happened, in one sentence.
    """

    code: int
    severity: Severity
    text: str


_NOTICE, _WARNING, _ERROR = Severity.INFO, Severity.WARNING, Severity.ERROR

FAULTS: dict[str, Fault] = {
    "bus_nack": Fault(1, _NOTICE, "A chip did not acknowledge; the transaction was repeated."),
    "bus_stuck": Fault(2, _NOTICE, "SDA was held low or the adapter timed out; nine clocks were sent."),
    "bus_short_read": Fault(3, _NOTICE, "A read ended early; it was repeated."),
    "bus_error": Fault(4, _WARNING, "The I2C adapter reported another error; the transaction was repeated."),
    "page_repeated": Fault(10, _NOTICE, "The new-data flag rose over a page already read; it was not taken twice."),
    "page_overlapped": Fault(
        11, _NOTICE, "The next page was completed while one was read; its own pixels were whole, so it was kept."
    ),
    "page_overwritten": Fault(12, _WARNING, "A page was overwritten before it was read; it is lost."),
    "page_missed": Fault(13, _WARNING, "A page was completed and replaced unseen; it is lost."),
    "page_late": Fault(14, _WARNING, "No new page came in time; the sensor was set up again."),
    "status_implausible": Fault(15, _NOTICE, "The status register read something impossible; it was read again."),
    "word_corrected": Fault(
        16, _NOTICE, "A word of a page jumped and read otherwise the second time; it was replaced."
    ),
    "page_unsettled": Fault(17, _WARNING, "A page differed in too many words between two reads; it is lost."),
    "page_dropped": Fault(18, _WARNING, "A page could not be read to its end because of bus faults; it is lost."),
    "rate_lowered": Fault(19, _WARNING, "The I2C bus is too slow for the refresh rate asked for; a lower one is set."),
    "sensor_lost": Fault(20, _ERROR, "The picture sensor does not answer; it is tried again until it does."),
    "sensor_reset": Fault(21, _WARNING, "The picture sensor came back with power-on defaults; it was set up again."),
    "sensor_changed": Fault(22, _ERROR, "Another picture sensor answers at the address; its EEPROM was read anew."),
    "eeprom_mismatch": Fault(23, _WARNING, "Reads of the EEPROM differed; the majority of further reads decided."),
    "eeprom_invalid": Fault(24, _ERROR, "The EEPROM holds impossible constants; pictures cannot be decoded."),
    "auxiliary_invalid": Fault(25, _WARNING, "An auxiliary word of a page was invalid; it was left out of verdicts."),
    "undecodable": Fault(26, _WARNING, "A page gave no temperatures; it was left out of verdicts."),
    "correction_mismatch": Fault(
        27, _ERROR, "The stored calibration is not of this sensor and EEPROM; pictures are uncalibrated."
    ),
    "eeprom_changed": Fault(
        28,
        _ERROR,
        "The sensor's EEPROM is not the one it was first seen or calibrated with; temperatures may be wrong.",
    ),
    "eeprom_doubtful": Fault(
        29, _WARNING, "The EEPROM holds words that no known sensor does; temperatures may be wrong."
    ),
    "thermistor_lost": Fault(30, _ERROR, "The thermistor ADC does not answer; its channels read as missing."),
    "thermistor_late": Fault(
        31, _WARNING, "A conversion of the thermistor ADC was not ready, or not as asked for; it was repeated."
    ),
    "thermistor_mismatch": Fault(32, _NOTICE, "Two reads of one conversion differed; it was repeated."),
    "pictures_skipped": Fault(40, _NOTICE, "Inference was busy; pictures passed without a verdict."),
    "model_failed": Fault(41, _ERROR, "The model could not classify a picture; see the device's log."),
    "kernels_disagreed": Fault(42, _NOTICE, "Fast kernels gave other scores than the reference."),
    "picture_incomplete": Fault(
        43, _WARNING, "Too few pixels of a picture gave a temperature; it was left out of verdicts."
    ),
    "die_out_of_range": Fault(
        44, _ERROR, "The picture sensor itself is colder than -40 or hotter than 85 degC; no verdicts are made."
    ),
}
"""Counters that also become events. `thermo-host info` shows them all."""

PLAIN = {
    "bus_recovered": "times nine clocks were sent to free SDA",
    "subpages_captured": "subpages handed on",
    "subpages_lost": "subpages lost for any reason",
    "pages_settling": "first pages after a start, used as a reference and not handed on",
    "classified": "pictures classified",
    "kernels_compared": "classifications by fast kernels that were repeated with the reference",
    "records_unsendable": "records that did not fit the wire and were left out",
    "thermistor_scans": "complete scans of the thermistors",
}
"""Counters that are no faults, and what they count."""


class Counters:
    """Counts by name; any thread may add and read."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[str, int] = {}

    def add(self, name: str, count: int = 1) -> None:
        """Count `count` more of `name`."""
        with self._lock:
            self._counts[name] = self._counts.get(name, 0) + count

    def get(self, name: str) -> int:
        """How many of `name` so far."""
        with self._lock:
            return self._counts.get(name, 0)

    def snapshot(self) -> dict[str, int]:
        """All counts at one moment, by name; a name that never counted is absent."""
        with self._lock:
            return dict(sorted(self._counts.items()))
