/* Findings and alerts of generated wearables at work: reads what happens from a stream, and writes what becomes of it.

   Read: words (uint16) of a case, of what happens, and of the model's or alert's number; then flags (uint16) and time
   (int64). 0: a model said so many (uint16) numbers; written are flags and number of values, the values, and where
   there are some, the winner (uint16) and the steps of each. 1: an alert's number is read, 2: it is acknowledged, 3:
   interrupted; written are whether it changed and its state (uint16), flags, time and value. */
#include <string.h>

#include "cases.h"
#include "io.h"

#define MOST 64
#define READS(what) io_read(&(what), sizeof(what))
#define WRITES(what) io_write(&(what), sizeof(what))

static struct alert alerts[CASES][32];

static void say_finding(const struct rules_case *one, uint16_t number, uint16_t flags, int64_t time_us) {
  float said[MOST];
  float values[MOST];
  uint16_t count;
  READS(count);
  io_read(said, count * sizeof said[0]);
  const struct finding finding =
      finding_read(&one->models[number], (uint8_t)number, said, count, flags, time_us, values);
  const uint16_t shape[2] = {finding.flags, finding.count};
  WRITES(shape);
  io_write(finding.values, finding.count * sizeof values[0]);
  if (finding.count > 0) {
    const uint16_t winner = finding_winner(&finding);
    WRITES(winner);
  }
  for (uint16_t i = 0; one->models[number].quantities == NULL && i < finding.count; i++) {
    const uint16_t steps = finding_steps(finding.values[i]);
    WRITES(steps);
  }
}

static bool move_alert(uint16_t what, const struct alert_plan *plan, struct alert *alert, uint16_t flags,
                       int64_t time_us) {
  float value;
  switch (what) {
    case 1:
      READS(value);
      return alert_push(plan, alert, value, flags, time_us);
    case 2:
      return alert_acknowledge(alert, time_us);
    default:
      return alert_interrupt(alert, time_us);
  }
}

int main(void) {
  uint16_t head[4];
  int64_t time_us;
  while (READS(head) && READS(time_us)) {
    const struct rules_case *one = &cases[head[0]];
    if (head[1] == 0) {
      say_finding(one, head[2], head[3], time_us);
      continue;
    }
    struct alert *alert = &alerts[head[0]][head[2]];
    const bool changed = move_alert(head[1], &one->alerts[head[2]], alert, head[3], time_us);
    const uint16_t state[3] = {changed, (uint16_t)alert->state, alert->flags};
    WRITES(state);
    WRITES(alert->time_us);
    WRITES(alert->value);
  }
  return 0;
}
