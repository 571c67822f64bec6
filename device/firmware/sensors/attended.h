/* A chip that is set up once and asked again and again: what all kinds of such chips need around their own few
   transactions, as thermo_device.sensors.attended has it.

   A kind gives a `struct attended_chip`; this brings the chip up, finds it again when it was lost, tells when another
   one answers, sets it up anew after a brown-out or when it says the same for ever, numbers its blocks, and counts each
   fault by its name. The state of such a kind's driver begins with its `struct attended`. */
#ifndef ATTENDED_H
#define ATTENDED_H

#include "bus.h"
#include "sensor.h"

/* What a chip says of itself. */
struct attended_held {
  uint8_t id[SENSOR_ID_BYTES];
  uint8_t id_size; /* 0: it has none of its own */
  uint16_t *words; /* its constants, as many as the plan says */
};

/* What came of one visit. */
struct attended_answer {
  uint64_t next_us; /* when to visit it again */
  bool complete;    /* there is a block, which the driver's state holds */
  uint64_t time_us; /* end of its capture */
  uint32_t lost;    /* blocks lost before it */
  uint32_t digest;  /* CRC-32 of all it says */
  bool hangs;       /* it was found to convert nothing */
};

/* What a kind knows of its chip. All return OK, what the bus returns, DAMAGED where what came cannot be, or another
   status with a sentence of bus.h. */
struct attended_chip {
  /* Read what it holds, so that a fault on the bus does not pass for it; `held` is empty before. */
  enum status (*identify)(const struct sensor *sensor, struct attended_held *held);
  /* Make it measure anew, whatever it does, with the constants now known; when to visit it first. */
  enum status (*set_up)(const struct sensor *sensor, uint64_t *first_us);
  /* Ask it once; RESET where it is, or seems to be, at its power-on defaults. */
  enum status (*visit)(const struct sensor *sensor, struct attended_answer *answer);
};

/* What a driver says once. */
struct attended_plan {
  const struct attended_chip *chip;
  uint16_t *words;     /* where its constants are kept; NULL for a kind without */
  uint16_t word_count; /* of them */
  uint8_t address;
  float rate_hz;       /* samples a second */
  uint32_t period_us;  /* from block to block */
  uint32_t slack_us;   /* how late a visit may be before something is lost */
  uint32_t most_equal; /* blocks in a row that are equal only where the chip hangs; 0 where that can be */
};

struct attended {
  const struct sensor_context *context;
  struct attended_plan plan;
  struct bus bus;
  enum status fault;
  uint64_t due_us;
  uint64_t newest_us;   /* end of the newest block; 0: none since it was set up or resumed */
  uint64_t gap_from_us; /* end of the last block before a fault; 0: there was none */
  uint32_t retry_us;
  uint32_t cost_us; /* what a visit takes */
  uint32_t next_index;
  uint32_t digest; /* of the newest block */
  uint32_t equal;  /* blocks in a row that had it */
  uint8_t corrupt; /* readings in a row that could not be */
  uint8_t id_size; /* 0: no chip was met yet */
  bool running;
  struct sighted sighted;
  struct sighting sighting;
};

/* Functions of a driver, in its table or called by its own. */
void attended_init(const struct sensor *sensor, const struct sensor_context *context, const struct attended_plan *plan);
uint64_t attended_due_us(const struct sensor *sensor, uint64_t free_until_us);
bool attended_poll(const struct sensor *sensor, uint64_t free_until_us, struct sensor_block *block);
void attended_resume(const struct sensor *sensor);
void attended_status(const struct sensor *sensor, struct sensor_status *status);
size_t attended_constants_size(const struct sensor *sensor);
void attended_constants(const struct sensor *sensor, size_t offset, uint8_t *to, size_t size);
void attended_trust(const struct sensor *sensor);
void attended_self_test(const struct sensor *sensor, struct sensor_results *results);

/* Those, as every such driver's table has them. */
#define ATTENDED_FUNCTIONS                                                                                \
  .due_us = attended_due_us, .poll = attended_poll, .resume = attended_resume, .status = attended_status, \
  .trust = attended_trust, .self_test = attended_self_test
/* And where the chip holds constants. */
#define ATTENDED_CONSTANTS .constants_size = attended_constants_size, .constants = attended_constants

/* Send messages, each after its size, up to a size of 0. */
enum status attended_write_all(const struct attended *attended, const uint8_t *messages);

/* The next of visits that are planned one period apart: none of those that were missed. */
uint64_t attended_next_us(uint64_t due_us, uint32_t period_us, uint64_t now_us);

#endif
