/* The commands of group 65 for corrections: read, write in parts, roll back. */
#ifndef CORRECTION_GROUP_H
#define CORRECTION_GROUP_H

#include "smp.h"

/* Handlers; the context is a struct wearable. */
void correction_group_read(void *context, const struct smp_request *request, struct smp_answer *answer);
void correction_group_write(void *context, const struct smp_request *request, struct smp_answer *answer);
void correction_group_rollback(void *context, const struct smp_request *request, struct smp_answer *answer);

#endif
