/* Whether a reading can be believed: flags that start at a sensor or a stage and travel to findings, alerts and
   screens; `enum quality` of wire_table.h. */
#ifndef QUALITY_H
#define QUALITY_H

#include "wire_table.h"

/* A finding with one of these neither raises nor clears an alert. */
#define QUALITY_DOUBTFUL                                                                                     \
  (QUALITY_OFF_SKIN | QUALITY_SATURATED | QUALITY_OPEN | QUALITY_SHORTED | QUALITY_MISSING | QUALITY_STALE | \
   QUALITY_MOVING | QUALITY_IMPLAUSIBLE | QUALITY_OUT_OF_RANGE | QUALITY_OUT_OF_DOMAIN)

/* Why a number has no value. */
#define QUALITY_NO_VALUE                                                                                     \
  (QUALITY_OFF_SKIN | QUALITY_SATURATED | QUALITY_OPEN | QUALITY_SHORTED | QUALITY_MISSING | QUALITY_STALE | \
   QUALITY_IMPLAUSIBLE)

#endif
