#include "alert_group.h"

#include "group_answer.h"

void alert_group_read(void *context, const struct smp_request *request, struct smp_answer *answer) {
  (void)request;
  const struct wearable *w = context;
  cbor_map(&answer->body, 1);
  cbor_text(&answer->body, "alerts");
  cbor_array(&answer->body, w->profile->alert_count);
  for (uint8_t i = 0; i < w->profile->alert_count; i++) {
    cbor_map(&answer->body, 2);
    put_unsigned(&answer->body, "state", (uint64_t)w->profile->alert_states[i].state);
    put_unsigned(&answer->body, "time_us", (uint64_t)w->profile->alert_states[i].time_us);
  }
}

void alert_group_acknowledge(void *context, const struct smp_request *request, struct smp_answer *answer) {
  struct wearable *w = context;
  uint32_t alert;
  if (!smp_field_unsigned(request, answer, "alert", 0, UINT8_MAX, &alert)) {
    return;
  }
  if (alert >= w->profile->alert_count) {
    struct text *reason = group_refuse(answer, GROUP_ERROR_NO_SUCH);
    text_add(reason, "There is no alert ");
    text_add_unsigned(reason, alert);
    if (w->profile->alert_count > 0) {
      text_add(reason, "; they are numbered 0 to ");
      text_add_unsigned(reason, w->profile->alert_count - 1U);
      text_add(reason, ".");
    } else {
      text_add(reason, "; this wearable has none.");
    }
    return;
  }
  engine_acknowledge(&w->engine, (uint8_t)alert);
  wearable_keep_alerts(w, true);
  alert_group_read(context, request, answer);
}
