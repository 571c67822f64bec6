/* How long a firmware may run on trial: who is not confirmed in its time gives way to the one before. */
#ifndef TRIAL_H
#define TRIAL_H

#include <stdbool.h>
#include <stdint.h>

#include "slots.h"

/* A host confirms after its self-test. */
#define TRIAL_US 300000000U

struct trial {
  const struct slot_pair *pair;
  int running;
  bool on;
  uint64_t ends_us;
};

/* Begin with what the running slot's trailer says. One that it says nothing of was started because there is nothing
   better, and has nothing to give way to. */
void trial_begin(struct trial *trial, const struct slot_pair *pair, int running, uint64_t now_us);

/* Whether its time is over and it was not confirmed. */
bool trial_is_overdue(struct trial *trial, uint64_t now_us);

#endif
