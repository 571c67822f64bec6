/* When the sensor's next page is due: a Kalman filter tracks phase and period, as an oscillator is off by some percent.
   The same filter as thermo_device/sensors/page_schedule.py, in single precision around integer times. */
#ifndef PAGE_SCHEDULE_H
#define PAGE_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

struct page_schedule {
  float nominal_us; /* between two pages */
  float period_us;  /* as measured; nominal at first */
  bool has_end;
  uint64_t end_us; /* estimated end of the last capture */
  uint64_t poll_us;
  uint64_t timeout_us;
  uint64_t unseen_us;
  uint64_t seen_us; /* 0: none */
  float lead_us;
  float pause_us;
  float end_variance;
  float covariance;
  float period_variance;
};

/* Forget the phase: the next page comes within `first_us` from now, those after it every `period_us`. */
void page_schedule_restart(struct page_schedule *schedule, uint64_t now_us, float period_us, float first_us);

/* Periods from the end of the last capture until now; 1 where there was none. */
float page_schedule_pages_since(const struct page_schedule *schedule, uint64_t now_us);

/* A look found no new page. */
void page_schedule_unseen(struct page_schedule *schedule, uint64_t now_us);

/* A look found the page after the one just read. */
void page_schedule_seen(struct page_schedule *schedule, uint64_t now_us);

/* A look found a new page that is read now. `odd`: its subpage number is the other one than that of the last page.
   Returns the pages completed since the last one, this one included. */
uint32_t page_schedule_arrived(struct page_schedule *schedule, uint64_t now_us, bool odd);

/* The same for what has no subpages. */
uint32_t page_schedule_came(struct page_schedule *schedule, uint64_t now_us);

#endif
