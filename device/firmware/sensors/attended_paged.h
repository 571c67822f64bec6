/* An attended chip whose next page of data is announced by a flag, when a `struct page_schedule` expects it. */
#ifndef ATTENDED_PAGED_H
#define ATTENDED_PAGED_H

#include "attended.h"
#include "page_schedule.h"

/* It was set up; when to visit it first. */
uint64_t attended_paged_begin(const struct attended *attended, struct page_schedule *schedule);
/* A visit found nothing new: when to come again; RESET, and counted, where nothing came for too long. */
enum status attended_paged_wait(const struct attended *attended, struct page_schedule *schedule, uint64_t now_us,
                                struct attended_answer *answer);

#endif
