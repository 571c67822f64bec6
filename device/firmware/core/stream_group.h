/* The commands of group 65 for what streams: the lease, rates, signals, and samples that a host gives. */
#ifndef STREAM_GROUP_H
#define STREAM_GROUP_H

#include "smp.h"

#define STREAM_GROUP_LONGEST_LEASE_MS 10000U

/* Handlers; the context is a struct wearable. */
void stream_group_stream(void *context, const struct smp_request *request, struct smp_answer *answer);
void stream_group_rate(void *context, const struct smp_request *request, struct smp_answer *answer);
void stream_group_signals(void *context, const struct smp_request *request, struct smp_answer *answer);
void stream_group_feed(void *context, const struct smp_request *request, struct smp_answer *answer);

#endif
