/* As thermo_core.graph.alerts has it. */
#include "alerts.h"

#include "float32.h"
#include "quality.h"

static bool holds(const struct alert_condition *condition, float value) {
  switch (condition->comparison) {
    case ALERT_AT_LEAST:
      return value >= condition->number;
    case ALERT_ABOVE:
      return value > condition->number;
    case ALERT_AT_MOST:
      return value <= condition->number;
    case ALERT_BELOW:
      return value < condition->number;
  }
  return false;
}

static bool change(struct alert *alert, enum alert_state state, int64_t time_us, float value, uint16_t flags) {
  alert->state = state;
  alert->time_us = time_us;
  alert->value = value;
  alert->flags = flags;
  return true;
}

bool alert_push(const struct alert_plan *plan, struct alert *alert, float value, uint16_t flags, int64_t time_us) {
  if (float32_is_nothing(value) || (flags & QUALITY_DOUBTFUL) != 0) {
    return false;
  }
  const bool on = holds(&plan->when, value);
  if (alert->state == ALERT_STATE_RAISED || alert->state == ALERT_STATE_ACKNOWLEDGED) {
    const bool over = plan->has_clear ? holds(&plan->clear, value) : !on;
    return over && change(alert, ALERT_STATE_CLEAR, time_us, value, flags);
  }
  if (!on) {
    return alert->state == ALERT_STATE_PENDING && change(alert, ALERT_STATE_CLEAR, time_us, value, flags);
  }
  if (alert->state == ALERT_STATE_CLEAR) {
    alert->count = 0;
    alert->since_us = time_us;
  }
  if (alert->count < UINT16_MAX) {
    alert->count++;
  }
  if (alert->count >= plan->findings && time_us - alert->since_us >= plan->duration_us) {
    return change(alert, ALERT_STATE_RAISED, time_us, value, flags);
  }
  return alert->state == ALERT_STATE_CLEAR && change(alert, ALERT_STATE_PENDING, time_us, value, flags);
}

bool alert_acknowledge(struct alert *alert, int64_t time_us) {
  return alert->state == ALERT_STATE_RAISED && change(alert, ALERT_STATE_ACKNOWLEDGED, time_us, float32_nothing(), 0);
}

bool alert_interrupt(struct alert *alert, int64_t time_us) {
  return alert->state == ALERT_STATE_PENDING && change(alert, ALERT_STATE_CLEAR, time_us, float32_nothing(), 0);
}
