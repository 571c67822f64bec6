#include "attended_paged.h"

uint64_t attended_paged_begin(const struct attended *attended, struct page_schedule *schedule) {
  const float period_us = 1e6F / attended->plan.rate_hz;
  page_schedule_restart(schedule, board_now_us(attended->context->board), period_us, 2.0F * period_us);
  return schedule->poll_us;
}

enum status attended_paged_wait(const struct attended *attended, struct page_schedule *schedule, uint64_t now_us,
                                struct attended_answer *answer) {
  page_schedule_unseen(schedule, now_us);
  answer->next_us = schedule->poll_us;
  if (now_us > schedule->timeout_us) {
    counters_add(attended->context->counters, COUNTER_READING_LATE, 1);
    return STATUS_RESET;
  }
  return STATUS_OK;
}
