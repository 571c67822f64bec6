"""What a wearable counts and reports: the name, code and sentence of each, the same in the agent, in C and on the host."""

from collections.abc import Mapping
from dataclasses import dataclass

from thermo_core.wire.table import Severity

_INFO, _WARNING, _ERROR = Severity.INFO, Severity.WARNING, Severity.ERROR


@dataclass(frozen=True, slots=True)
class Event:
    """Something that is counted and reported.

    Attributes:
        code: in event records; below 100 of sensors and bus; never used again for another.
        severity: INFO where nothing was lost, WARNING where something was, ERROR where somebody has to act.
        text: what happened, in one sentence.
    """

    code: int
    severity: Severity
    text: str


FAULTS: Mapping[str, Event] = {
    "bus_nack": Event(1, _INFO, "A chip did not acknowledge; the transaction was repeated."),
    "bus_stuck": Event(2, _INFO, "SDA was held low or the adapter timed out; nine clocks were sent."),
    "bus_short_read": Event(3, _INFO, "A read ended early; it was repeated."),
    "bus_error": Event(4, _WARNING, "The I2C adapter reported another error; the transaction was repeated."),
    "page_repeated": Event(10, _INFO, "The new-data flag rose over a page already read; it was not taken twice."),
    "page_overlapped": Event(
        11, _INFO, "The next page was completed while one was read; its own pixels were whole, so it was kept."
    ),
    "page_overwritten": Event(12, _WARNING, "A page was overwritten before it was read; it is lost."),
    "page_missed": Event(13, _WARNING, "A page was completed and replaced unseen; it is lost."),
    "page_late": Event(14, _WARNING, "No new page came in time; the sensor was set up again."),
    "status_implausible": Event(15, _INFO, "A status register read something impossible; it was read again."),
    "word_corrected": Event(16, _INFO, "A word of a page jumped and read otherwise the second time; it was replaced."),
    "page_unsettled": Event(17, _WARNING, "A page differed in too many words between two reads; it is lost."),
    "page_dropped": Event(18, _WARNING, "A page could not be read to its end because of bus faults; it is lost."),
    "rate_lowered": Event(19, _WARNING, "The I2C bus is too slow for the rate asked for; a lower one is set."),
    "sensor_lost": Event(20, _ERROR, "A sensor does not answer; it is tried again until it does."),
    "sensor_reset": Event(21, _WARNING, "A sensor came back with power-on defaults; it was set up again."),
    "sensor_changed": Event(22, _ERROR, "Another sensor answers at the address; its constants were read anew."),
    "constants_mismatch": Event(23, _WARNING, "Reads of a sensor's constants differed; the majority decided."),
    "constants_invalid": Event(24, _ERROR, "A sensor holds impossible constants; what it says cannot be decoded."),
    "auxiliary_invalid": Event(25, _WARNING, "An auxiliary word of a page was invalid; the page was left out."),
    "undecodable": Event(26, _WARNING, "A block gave no values; it was left out of findings."),
    "correction_mismatch": Event(
        27, _ERROR, "A stored correction is not of this sensor and its constants; it is uncalibrated."
    ),
    "constants_changed": Event(
        28, _ERROR, "A sensor's constants are not those it was first seen or calibrated with; values may be wrong."
    ),
    "constants_doubtful": Event(
        29, _WARNING, "A sensor's constants hold words that no known one does; values may be wrong."
    ),
    "reading_late": Event(30, _WARNING, "A reading was not ready, or not as asked for; it was repeated."),
    "reading_mismatch": Event(31, _INFO, "Two reads of one reading differed; it was repeated."),
    "reading_corrupt": Event(32, _INFO, "A checksum of a reading did not hold; it was repeated."),
    "fifo_overflowed": Event(33, _WARNING, "A sensor's FIFO overflowed; samples are lost."),
    "sensor_frozen": Event(34, _ERROR, "A sensor says the same again and again; it was set up again."),
    "blocks_skipped": Event(40, _INFO, "Inference was busy; blocks passed without a finding."),
    "model_failed": Event(41, _ERROR, "A network could not be run; see the device's log."),
    "kernels_disagreed": Event(42, _INFO, "Fast kernels gave other outputs than the reference."),
}
"""Counters that also become events."""

NOTICES: Mapping[str, Event] = {
    "request_refused": Event(100, _WARNING, "A request was refused; the text says why."),
    "image_changed": Event(101, _INFO, "Another image runs, or was put back."),
    "model_rejected": Event(102, _ERROR, "A bundle did not load and gave way to the one before."),
    "pipeline_failed": Event(103, _ERROR, "The pipeline stopped and is started again."),
    "storage": Event(104, _ERROR, "Something stored was damaged or cannot be stored."),
    "waived": Event(105, _WARNING, "The bundle was signed although something was found wanting; the text says what."),
    "baseline": Event(107, _WARNING, "What was learned of the wearer is forgotten; the text says why."),
}
"""The device's own events; their texts are made on the spot."""

COUNTS: Mapping[str, str] = {
    "bus_recovered": "times nine clocks were sent to free SDA",
    "blocks_captured": "blocks handed on",
    "blocks_lost": "blocks lost for any reason",
    "pages_settling": "first pages after a start, used as a reference and not handed on",
    "findings": "findings made",
    "kernels_compared": "inferences by fast kernels that were repeated with the reference",
    "records_unsendable": "records that did not fit the wire and were left out",
    "requests_refused": "requests of a host that were refused with a sentence",
    "leases_expired": "leases that ran out rather than ended",
    "telemetry_dropped": "records dropped because the line was full",
    "answers_dropped": "answers that nobody took in time",
    "port_lost": "times the port vanished",
    "port_reopened": "times it was opened again",
    "line_bytes_discarded": "bytes received that belong to no packet",
    "line_bad_packets": "packets received that were damaged",
    "serial_overruns": "bytes lost because nobody read in time",
    "models_rejected": "bundles that did not load",
    "resets": "resets asked for by a host",
    "watchdog_resets": "resets by the watchdog",
}
"""Counters that are no faults, and what they count."""
