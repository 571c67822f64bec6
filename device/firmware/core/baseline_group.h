/* Group 65's commands about what is learned of the wearer. */
#ifndef BASELINE_GROUP_H
#define BASELINE_GROUP_H

#include "smp.h"

void baseline_group_read(void *context, const struct smp_request *request, struct smp_answer *answer);
void baseline_group_forget(void *context, const struct smp_request *request, struct smp_answer *answer);
void baseline_group_learned(void *context, const struct smp_request *request, struct smp_answer *answer);

#endif
