/* Whether a reading can be believed: flags that start at a sensor or a stage and travel to findings, alerts and
   screens. The bits are those of thermo_core.quality.Quality; a test compares them. */
#ifndef QUALITY_H
#define QUALITY_H

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
  /* A finding with one of these neither raises nor clears an alert. */
  QUALITY_DOUBTFUL = QUALITY_OFF_SKIN | QUALITY_SATURATED | QUALITY_OPEN | QUALITY_SHORTED | QUALITY_MISSING |
                     QUALITY_STALE | QUALITY_MOVING | QUALITY_IMPLAUSIBLE | QUALITY_OUT_OF_RANGE |
                     QUALITY_OUT_OF_DOMAIN,
};

#endif
