/* An attended chip that fills a FIFO, which is read in bursts: a block has as many samples as wait, and moments of
   their own. The state of such a kind's driver begins with its `struct attended_fifo`. */
#ifndef ATTENDED_FIFO_H
#define ATTENDED_FIFO_H

#include "attended.h"
#include "fifo_burst.h"
#include "repeats.h"
#include "sample_clock.h"

struct attended_fifo {
  struct attended attended;
  struct sample_clock clock;
  struct repeats repeats;
  uint8_t size;      /* samples that are read at once */
  uint64_t heard_us; /* when it last had enough */
  struct fifo_burst burst;
};

/* Its driver's `init`, from a plan whose `most_equal` counts samples, and whose `period_us` and `slack_us` are set here
   by its rate and the burst: a block is late where half of the rest of the FIFO is full. */
void attended_fifo_init(const struct sensor *sensor, const struct sensor_context *context, struct attended_plan *plan,
                        uint8_t burst);
/* It was set up; when to visit it first. */
uint64_t attended_fifo_begin(struct attended_fifo *fifo);
/* A visit found too few samples: when to come again; RESET where it has been so for too long. */
enum status attended_fifo_wait(const struct attended_fifo *fifo, struct attended_answer *answer, uint64_t now_us,
                               uint32_t count);

/* Values of one sample, and what is wrong with them. */
typedef uint16_t (*attended_fifo_decode)(const struct sensor *sensor, const int32_t *counts, float *values);

/* `read` of its driver: each sample of `channels` numbers into its signal. */
bool attended_fifo_read(const struct sensor *sensor, struct graph *graph, uint16_t flags, bool fresh, uint32_t channels,
                        attended_fifo_decode decode);

#endif
