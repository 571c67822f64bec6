/* The command of group 65 that says who the device is. */
#ifndef HELLO_GROUP_H
#define HELLO_GROUP_H

#include "smp.h"

/* Handlers; the context is a struct wearable. */
void hello_group_read(void *context, const struct smp_request *request, struct smp_answer *answer);

#endif
