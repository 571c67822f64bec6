/* How far each stage has learned, that it forget it, and all of it as bytes. */
#include "baseline_group.h"

#include "group_answer.h"
#include "wearable.h"

void baseline_group_read(void *context, const struct smp_request *request, struct smp_answer *answer) {
  (void)request;
  const struct wearable *w = context;
  const struct graph *graph = &w->engine.graph;
  cbor_map(&answer->body, 1);
  cbor_text(&answer->body, "stages");
  cbor_array(&answer->body, graph->plan->learning_count);
  for (uint8_t i = 0; i < graph->plan->learning_count; i++) {
    const struct learning_place *place = &graph->plan->learnings[i];
    const struct learned *learned = graph_learned(graph, place);
    cbor_map(&answer->body, 6);
    put_unsigned(&answer->body, "parts", learned->parts);
    put_unsigned(&answer->body, "ready", learned->ready);
    put_unsigned(&answer->body, "age_us", (uint64_t)learned->age_us);
    put_unsigned(&answer->body, "signal", graph->plan->calls[place->call].output);
    put_unsigned(&answer->body, "samples", learned->samples);
    put_unsigned(&answer->body, "learned_us", (uint64_t)learned->learned_us);
  }
}

void baseline_group_forget(void *context, const struct smp_request *request, struct smp_answer *answer) {
  struct wearable *w = context;
  const struct learning *learning = w->profile->learning;
  uint32_t signal = LEARNED_ALL;
  struct cbor_item item;
  if (cbor_find(request->body, request->body_size, "signal", &item) && item.kind != CBOR_NULL &&
      !smp_field_unsigned(request, answer, "signal", 0, UINT8_MAX, &signal)) {
    return;
  }
  if (learning == NULL ? signal != LEARNED_ALL : !learning->operations->forget(learning, signal)) {
    struct text *reason = group_refuse(answer, GROUP_ERROR_NO_SUCH);
    text_add(reason, "Signal ");
    text_add_unsigned(reason, signal);
    text_add(reason, " is of no stage that learns.");
    return;
  }
  if (learning != NULL && !wearable_keep_learned(w, true)) {
    text_add(group_refuse(answer, GROUP_ERROR_STORAGE), learning->operations->not_forgotten);
    return;
  }
  baseline_group_read(context, request, answer);
}

void baseline_group_learned(void *context, const struct smp_request *request, struct smp_answer *answer) {
  const struct wearable *w = context;
  const struct learning *learning = w->profile->learning;
  struct group_part wanted;
  size_t size;
  if (!group_wanted(request, answer, &wanted)) {
    return;
  }
  uint8_t *part = group_put_part(answer, &wanted, learning == NULL ? 0 : learning->bytes, 0, &size);
  if (part != NULL && size > 0 && learning != NULL) {
    learning->operations->read(learning, wanted.offset, part, size);
  }
}
