/* The commands of group 65 for who wears it. */
#ifndef PERSON_GROUP_H
#define PERSON_GROUP_H

#include "smp.h"

/* Handlers; the context is a struct wearable. */
void person_group_read(void *context, const struct smp_request *request, struct smp_answer *answer);
void person_group_write(void *context, const struct smp_request *request, struct smp_answer *answer);

#endif
