/* Counts of everything that went wrong or was dropped. Names, codes and sentences are those of the Python agent
   (thermo_device.counters, docs/wire.md), so that one host reads both. */
#ifndef COUNTERS_H
#define COUNTERS_H

#include <stdint.h>

enum severity { SEVERITY_INFORMATION, SEVERITY_WARNING, SEVERITY_ERROR };

/* Faults: counted, and reported as events. X(CONSTANT, name, code, severity, sentence) */
#define COUNTERS_FAULTS(X)                                                                                             \
  X(BUS_NACK, bus_nack, 1, INFORMATION, "A chip did not acknowledge; the transaction was repeated.")                   \
  X(BUS_STUCK, bus_stuck, 2, INFORMATION, "SDA was held low or the adapter timed out; nine clocks were sent.")         \
  X(BUS_SHORT_READ, bus_short_read, 3, INFORMATION, "A read ended early; it was repeated.")                            \
  X(BUS_ERROR, bus_error, 4, WARNING, "The I2C adapter reported another error; the transaction was repeated.")         \
  X(PAGE_REPEATED, page_repeated, 10, INFORMATION,                                                                     \
    "The new-data flag rose over a page already read; it was not taken twice.")                                        \
  X(PAGE_OVERLAPPED, page_overlapped, 11, INFORMATION,                                                                 \
    "The next page was completed while one was read; its own pixels were whole, so it was kept.")                      \
  X(PAGE_OVERWRITTEN, page_overwritten, 12, WARNING, "A page was overwritten before it was read; it is lost.")         \
  X(PAGE_MISSED, page_missed, 13, WARNING, "A page was completed and replaced unseen; it is lost.")                    \
  X(PAGE_LATE, page_late, 14, WARNING, "No new page came in time; the sensor was set up again.")                       \
  X(STATUS_IMPLAUSIBLE, status_implausible, 15, INFORMATION,                                                           \
    "The status register read something impossible; it was read again.")                                               \
  X(WORD_CORRECTED, word_corrected, 16, INFORMATION,                                                                   \
    "A word of a page jumped and read otherwise the second time; it was replaced.")                                    \
  X(PAGE_UNSETTLED, page_unsettled, 17, WARNING, "A page differed in too many words between two reads; it is lost.")   \
  X(PAGE_DROPPED, page_dropped, 18, WARNING, "A page could not be read to its end because of bus faults; it is lost.") \
  X(RATE_LOWERED, rate_lowered, 19, WARNING,                                                                           \
    "The I2C bus is too slow for the refresh rate asked for; a lower one is set.")                                     \
  X(SENSOR_LOST, sensor_lost, 20, ERROR, "The picture sensor does not answer; it is tried again until it does.")       \
  X(SENSOR_RESET, sensor_reset, 21, WARNING,                                                                           \
    "The picture sensor came back with power-on defaults; it was set up again.")                                       \
  X(SENSOR_CHANGED, sensor_changed, 22, ERROR,                                                                         \
    "Another picture sensor answers at the address; its EEPROM was read anew.")                                        \
  X(EEPROM_MISMATCH, eeprom_mismatch, 23, WARNING,                                                                     \
    "Reads of the EEPROM differed; the majority of further reads decided.")                                            \
  X(EEPROM_INVALID, eeprom_invalid, 24, ERROR, "The EEPROM holds impossible constants; pictures cannot be decoded.")   \
  X(AUXILIARY_INVALID, auxiliary_invalid, 25, WARNING,                                                                 \
    "An auxiliary word of a page was invalid; it was left out of verdicts.")                                           \
  X(UNDECODABLE, undecodable, 26, WARNING, "A page gave no temperatures; it was left out of verdicts.")                \
  X(CORRECTION_MISMATCH, correction_mismatch, 27, ERROR,                                                               \
    "The stored calibration is not of this sensor and EEPROM; pictures are uncalibrated.")                             \
  X(EEPROM_CHANGED, eeprom_changed, 28, ERROR,                                                                         \
    "The sensor's EEPROM is not the one it was first seen or calibrated with; temperatures may be wrong.")             \
  X(EEPROM_DOUBTFUL, eeprom_doubtful, 29, WARNING,                                                                     \
    "The EEPROM holds words that no known sensor does; temperatures may be wrong.")                                    \
  X(THERMISTOR_LOST, thermistor_lost, 30, ERROR, "The thermistor ADC does not answer; its channels read as missing.")  \
  X(THERMISTOR_LATE, thermistor_late, 31, WARNING,                                                                     \
    "A conversion of the thermistor ADC was not ready, or not as asked for; it was repeated.")                         \
  X(THERMISTOR_MISMATCH, thermistor_mismatch, 32, INFORMATION,                                                         \
    "Two reads of one conversion differed; it was repeated.")                                                          \
  X(PICTURES_SKIPPED, pictures_skipped, 40, INFORMATION, "Inference was busy; pictures passed without a verdict.")     \
  X(PICTURE_INCOMPLETE, picture_incomplete, 43, WARNING,                                                               \
    "Too few pixels of a picture gave a temperature; it was left out of verdicts.")                                    \
  X(DIE_OUT_OF_RANGE, die_out_of_range, 44, ERROR,                                                                     \
    "The picture sensor itself is colder than -40 or hotter than 85 degC; no verdicts are made.")

/* Counters that are no faults. X(CONSTANT, name) */
#define COUNTERS_PLAIN(X)                                                                    \
  X(BUS_RECOVERED, bus_recovered)               /* times nine clocks were sent */            \
  X(SUBPAGES_CAPTURED, subpages_captured)       /* handed on */                              \
  X(SUBPAGES_LOST, subpages_lost)               /* for any reason */                         \
  X(PAGES_SETTLING, pages_settling)             /* first pages after a start, a reference */ \
  X(CLASSIFIED, classified)                     /* pictures */                               \
  X(THERMISTOR_SCANS, thermistor_scans)         /* complete ones */                          \
  X(REQUESTS_REFUSED, requests_refused)         /* of the host, with a sentence */           \
  X(LEASES_EXPIRED, leases_expired)             /* run out rather than ended */              \
  X(TELEMETRY_DROPPED, telemetry_dropped)       /* records; the line was full */             \
  X(RECORDS_UNSENDABLE, records_unsendable)     /* did not fit the wire */                   \
  X(LINE_BYTES_DISCARDED, line_bytes_discarded) /* received, in no packet */                 \
  X(LINE_BAD_PACKETS, line_bad_packets)         /* received and damaged */                   \
  X(SERIAL_OVERRUNS, serial_overruns)           /* bytes lost because nobody read in time */ \
  X(RESETS, resets)                             /* asked for by a host */                    \
  X(WATCHDOG_RESETS, watchdog_resets)

enum counter {
#define X(constant, name, code, severity, sentence) COUNTER_##constant,
  COUNTERS_FAULTS(X)
#undef X
      COUNTER_FAULTS,
  COUNTER_BEFORE_PLAIN = COUNTER_FAULTS - 1,
#define X(constant, name) COUNTER_##constant,
  COUNTERS_PLAIN(X)
#undef X
      COUNTER_COUNT
};

/* Codes of the agent's own events; faults have codes below 100. */
enum notice {
  NOTICE_REQUEST_REFUSED = 100,
  NOTICE_IMAGE_CHANGED = 101,
  NOTICE_MODEL_REJECTED = 102,
  NOTICE_PIPELINE_FAILED = 103,
  NOTICE_STORAGE = 104,
};

struct counters {
  uint32_t counts[COUNTER_COUNT];
};

struct fault {
  uint8_t code;
  uint8_t severity; /* enum severity */
  const char *sentence;
};

/* Add; a count stays at its largest value rather than wrap. */
void counters_add(struct counters *counters, enum counter counter, uint32_t count);
/* Name on the wire. */
const char *counters_name(enum counter counter);
/* What to report for it; NULL for a counter that is no fault. */
const struct fault *counters_fault(enum counter counter);

#endif
