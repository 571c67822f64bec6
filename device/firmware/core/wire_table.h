/* Numbers that are the same on both ends of the line. Made by python -m thermo_core.wire.generate. */
/* clang-format off */

#ifndef WIRE_TABLE_H
#define WIRE_TABLE_H

#define PROTOCOL 2

enum record_type {
  RECORD_TYPE_BLOCK = 1,
  RECORD_TYPE_SIGNAL = 2,
  RECORD_TYPE_FINDING = 3,
  RECORD_TYPE_ALERT = 4,
  RECORD_TYPE_EVENT = 5,
  RECORD_TYPE_CLOCK = 6,
};

enum severity {
  SEVERITY_INFO = 0,
  SEVERITY_WARNING = 1,
  SEVERITY_ERROR = 2,
};

enum output_kind {
  OUTPUT_KIND_NONE = 0,
  OUTPUT_KIND_SCORES = 1,
  OUTPUT_KIND_QUANTITIES = 2,
};

enum command {
  COMMAND_HELLO = 0,
  COMMAND_STREAM = 1,
  COMMAND_CONSTANTS = 2,
  COMMAND_CORRECTION = 3,
  COMMAND_ROLLBACK = 4,
  COMMAND_SELF_TEST = 5,
  COMMAND_COUNTERS = 6,
  COMMAND_RATE = 7,
  COMMAND_REFUSAL = 8,
  COMMAND_PROFILE = 9,
  COMMAND_SIGNALS = 10,
  COMMAND_FEED = 11,
  COMMAND_PERSON = 12,
  COMMAND_ALERTS = 13,
  COMMAND_KEPT = 14,
  COMMAND_BASELINE = 15,
  COMMAND_LEARNED = 16,
};

enum group_error {
  GROUP_ERROR_OK = 0,
  GROUP_ERROR_UNKNOWN = 1,
  GROUP_ERROR_NO_SENSOR = 2,
  GROUP_ERROR_NO_CORRECTION = 3,
  GROUP_ERROR_WRONG_SENSOR = 4,
  GROUP_ERROR_DAMAGED = 5,
  GROUP_ERROR_BAD_OFFSET = 6,
  GROUP_ERROR_BAD_RATE = 7,
  GROUP_ERROR_NO_LEASE = 8,
  GROUP_ERROR_STORAGE = 9,
  GROUP_ERROR_IMPLAUSIBLE = 10,
  GROUP_ERROR_NO_SUCH = 11,
};

enum stream_op {
  STREAM_OP_STOP = 0,
  STREAM_OP_START = 1,
  STREAM_OP_RENEW = 2,
};

enum alert_state {
  ALERT_STATE_CLEAR = 0,
  ALERT_STATE_PENDING = 1,
  ALERT_STATE_RAISED = 2,
  ALERT_STATE_ACKNOWLEDGED = 3,
};

/* Whether a reading can be believed; bits of a uint16_t. */
enum quality {
  QUALITY_OFF_SKIN = 1 << 0,
  QUALITY_SATURATED = 1 << 1,
  QUALITY_OPEN = 1 << 2,
  QUALITY_SHORTED = 1 << 3,
  QUALITY_MISSING = 1 << 4,
  QUALITY_STALE = 1 << 5,
  QUALITY_MOVING = 1 << 6,
  QUALITY_IMPLAUSIBLE = 1 << 7,
  QUALITY_UNCALIBRATED = 1 << 8,
  QUALITY_OUT_OF_RANGE = 1 << 9,
  QUALITY_OUT_OF_DOMAIN = 1 << 10,
  QUALITY_FILLED = 1 << 11,
  QUALITY_SIMULATED = 1 << 12,
  QUALITY_FAST_KERNELS = 1 << 13,
  QUALITY_GATE_FAILED = 1 << 14,
  QUALITY_SUSPECT = 1 << 15,
};

#define LIMIT_SENSORS 32
#define LIMIT_STAGES 128
#define LIMIT_MODELS 8
#define LIMIT_MODEL_INPUTS 8
#define LIMIT_OUTPUTS 64
#define LIMIT_ALERTS 32
#define LIMIT_AVERAGE_PICTURES 256
#define LIMIT_LEARNED 61440
#define LIMIT_LEARNERS 8
#define LIMIT_ALERT_FINDINGS 65535
#define LIMIT_ALERT_SECONDS 86400
#define LIMIT_KEPT_BYTES 8192
#define LIMIT_KEPT_SECONDS 3600

#define NO_SENSOR 255
#define MAX_EVENT_TEXT 512
#define SIGNAL_VALUES 480
#define MAX_FED 256
#define HELLO_SENSORS 8
#define KEPT_EVERY_S 5
#define GAP_PERIODS 4
#define DEPTHS 8

/* Faults: counted, and reported as events. X(CONSTANT, name, code, severity, sentence) */
#define FAULTS(X) \
  X(BUS_NACK, bus_nack, 1, INFO, "A chip did not acknowledge; the transaction was repeated.") \
  X(BUS_STUCK, bus_stuck, 2, INFO, "SDA was held low or the adapter timed out; nine clocks were sent.") \
  X(BUS_SHORT_READ, bus_short_read, 3, INFO, "A read ended early; it was repeated.") \
  X(BUS_ERROR, bus_error, 4, WARNING, "The I2C adapter reported another error; the transaction was repeated.") \
  X(PAGE_REPEATED, page_repeated, 10, INFO, "The new-data flag rose over a page already read; it was not taken twice.") \
  X(PAGE_OVERLAPPED, page_overlapped, 11, INFO, "The next page was completed while one was read; its own pixels were whole, so it was kept.") \
  X(PAGE_OVERWRITTEN, page_overwritten, 12, WARNING, "A page was overwritten before it was read; it is lost.") \
  X(PAGE_MISSED, page_missed, 13, WARNING, "A page was completed and replaced unseen; it is lost.") \
  X(PAGE_LATE, page_late, 14, WARNING, "No new page came in time; the sensor was set up again.") \
  X(STATUS_IMPLAUSIBLE, status_implausible, 15, INFO, "A status register read something impossible; it was read again.") \
  X(WORD_CORRECTED, word_corrected, 16, INFO, "A word of a page jumped and read otherwise the second time; it was replaced.") \
  X(PAGE_UNSETTLED, page_unsettled, 17, WARNING, "A page differed in too many words between two reads; it is lost.") \
  X(PAGE_DROPPED, page_dropped, 18, WARNING, "A page could not be read to its end because of bus faults; it is lost.") \
  X(RATE_LOWERED, rate_lowered, 19, WARNING, "The I2C bus is too slow for the rate asked for; a lower one is set.") \
  X(SENSOR_LOST, sensor_lost, 20, ERROR, "A sensor does not answer; it is tried again until it does.") \
  X(SENSOR_RESET, sensor_reset, 21, WARNING, "A sensor came back with power-on defaults; it was set up again.") \
  X(SENSOR_CHANGED, sensor_changed, 22, ERROR, "Another sensor answers at the address; its constants were read anew.") \
  X(CONSTANTS_MISMATCH, constants_mismatch, 23, WARNING, "Reads of a sensor's constants differed; the majority decided.") \
  X(CONSTANTS_INVALID, constants_invalid, 24, ERROR, "A sensor holds impossible constants; what it says cannot be decoded.") \
  X(AUXILIARY_INVALID, auxiliary_invalid, 25, WARNING, "An auxiliary word of a page was invalid; the page was left out.") \
  X(UNDECODABLE, undecodable, 26, WARNING, "A block gave no values; it was left out of findings.") \
  X(CORRECTION_MISMATCH, correction_mismatch, 27, ERROR, "A stored correction is not of this sensor and its constants; it is uncalibrated.") \
  X(CONSTANTS_CHANGED, constants_changed, 28, ERROR, "A sensor's constants are not those it was first seen or calibrated with; values may be wrong.") \
  X(CONSTANTS_DOUBTFUL, constants_doubtful, 29, WARNING, "A sensor's constants hold words that no known one does; values may be wrong.") \
  X(READING_LATE, reading_late, 30, WARNING, "A reading was not ready, or not as asked for; it was repeated.") \
  X(READING_MISMATCH, reading_mismatch, 31, INFO, "Two reads of one reading differed; it was repeated.") \
  X(READING_CORRUPT, reading_corrupt, 32, INFO, "A checksum of a reading did not hold; it was repeated.") \
  X(FIFO_OVERFLOWED, fifo_overflowed, 33, WARNING, "A sensor's FIFO overflowed; samples are lost.") \
  X(SENSOR_FROZEN, sensor_frozen, 34, ERROR, "A sensor says the same again and again; it was set up again.") \
  X(BLOCKS_SKIPPED, blocks_skipped, 40, INFO, "Inference was busy; blocks passed without a finding.") \
  X(MODEL_FAILED, model_failed, 41, ERROR, "A network could not be run; see the device's log.") \
  X(KERNELS_DISAGREED, kernels_disagreed, 42, INFO, "Fast kernels gave other outputs than the reference.")

/* The device's own events. X(CONSTANT, code, severity) */
#define NOTICES(X) \
  X(REQUEST_REFUSED, 100, WARNING) \
  X(IMAGE_CHANGED, 101, INFO) \
  X(MODEL_REJECTED, 102, ERROR) \
  X(PIPELINE_FAILED, 103, ERROR) \
  X(STORAGE, 104, ERROR) \
  X(WAIVED, 105, WARNING) \
  X(BASELINE, 107, WARNING)

/* Counters that are no faults. X(CONSTANT, name) */
#define COUNTS(X) \
  X(BUS_RECOVERED, bus_recovered) \
  X(BLOCKS_CAPTURED, blocks_captured) \
  X(BLOCKS_LOST, blocks_lost) \
  X(PAGES_SETTLING, pages_settling) \
  X(FINDINGS, findings) \
  X(KERNELS_COMPARED, kernels_compared) \
  X(RECORDS_UNSENDABLE, records_unsendable) \
  X(REQUESTS_REFUSED, requests_refused) \
  X(LEASES_EXPIRED, leases_expired) \
  X(TELEMETRY_DROPPED, telemetry_dropped) \
  X(ANSWERS_DROPPED, answers_dropped) \
  X(PORT_LOST, port_lost) \
  X(PORT_REOPENED, port_reopened) \
  X(LINE_BYTES_DISCARDED, line_bytes_discarded) \
  X(LINE_BAD_PACKETS, line_bad_packets) \
  X(SERIAL_OVERRUNS, serial_overruns) \
  X(MODELS_REJECTED, models_rejected) \
  X(RESETS, resets) \
  X(WATCHDOG_RESETS, watchdog_resets)

/* What can be known of a wearer. X(CONSTANT, name, low, high) */
#define PERSON_FIELDS(X) \
  X(AGE_YEARS, age_years, 1.0F, 120.0F) \
  X(WEIGHT_KG, weight_kg, 2.0F, 400.0F) \
  X(HEIGHT_M, height_m, 0.4F, 2.6F) \
  X(SEX, sex, 0.0F, 1.0F)

#endif
