/* The driver of TMP117 contact thermometers. */
#ifndef TMP117_H
#define TMP117_H

#include "attended_linear.h"
#include "attended_paged.h"

struct tmp117_settings {
  uint8_t address;
  uint16_t configuration; /* word that sets rate and averages */
  float rate_hz;
  uint32_t stale_readings; /* so many equal ones in a row are a fault */
};

/* Whether results follow the chip's offset, which is moved now and then: core's `Follows`. */
struct tmp117_follows {
  bool shifted; /* whether the next result should be */
  bool frozen;  /* they have not followed for some time */
  bool known;   /* `last` holds a result */
  bool shifted_before;
  int32_t last;           /* newest one that was new, without the shift */
  int32_t before;         /* the one before as it came; `shifted_before` whether it should have been shifted */
  uint32_t agreed, apart; /* results in a row that did, and that did not */
};

struct tmp117_state {
  struct attended_linear linear;
  struct page_schedule schedule;
  struct tmp117_follows follows;
  int32_t own_offset; /* counts */
  uint64_t check_us;  /* when to look next whether results follow */
  uint16_t found;     /* configuration that announced the newest result; not ready where that is none */
  uint16_t result;
};

extern const struct sensor_driver tmp117_driver;

#endif
