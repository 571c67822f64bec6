/* The commands of group 65 for alerts: how they stand, and acknowledging one. */
#ifndef ALERT_GROUP_H
#define ALERT_GROUP_H

#include "smp.h"

/* Handlers; the context is a struct wearable. */
void alert_group_read(void *context, const struct smp_request *request, struct smp_answer *answer);
void alert_group_acknowledge(void *context, const struct smp_request *request, struct smp_answer *answer);

#endif
