/* The semantics of thermo_core.graph.live and runners. */
#include "graph.h"

#include <stddef.h>
#include <string.h>

#include "float32.h"
#include "history.h"
#include "quality.h"

static struct work work_of(const struct graph *graph, const struct call *call) {
  return (struct work){.call = call,
                       .signals = graph->plan->signals,
                       .samples = graph->plan->samples,
                       .paces = graph->plan->paces,
                       .memory = graph->plan->memory,
                       .time_us = graph->time_us,
                       .board = graph->board};
}

static void reset_memory(const struct work *work) {
  work->call->stage->reset(work);
  history_reset(work->call->history);
}

static bool elementwise(const struct work *work, struct sample *output) {
  const struct call *call = work->call;
  uint16_t flags = 0;
  bool fresh = false;
  for (uint32_t i = 0; i < call->input_count; i++) {
    const struct sample *input = stage_sample(work, i);
    if (!input->present) {
      return false;
    }
    flags |= input->flags;
    fresh |= input->fresh;
  }
  output->flags = (uint16_t)((flags & ~(uint32_t)call->stage->settles) | call->stage->apply(work));
  output->fresh = fresh;
  return true;
}

static bool remembering(const struct work *work, struct sample *output) {
  const struct call *call = work->call;
  const struct sample *input = stage_sample(work, 0);
  struct history *history = call->history;
  if (!input->present) {
    return false;
  }
  if (input->fresh || history_gap(history, work->time_us, stage_gap_us(work, 0))) {
    reset_memory(work);
    history->torn = true;
  }
  history->begun = true;
  history->newest_us = work->time_us;
  const uint16_t flags = history_flags(history, input->flags, call->span);
  if (!call->stage->push(work)) {
    return false;
  }
  output->flags = flags;
  output->fresh = history->torn;
  history->torn = false;
  return true;
}

static bool recursive(const struct work *work, struct sample *output) {
  const struct call *call = work->call;
  struct history *history = call->history;
  uint16_t flags = 0;
  bool torn = false;
  for (uint32_t i = 0; i < call->input_count; i++) {
    const struct sample *input = stage_sample(work, i);
    if (!input->present) {
      return false;
    }
    flags |= input->flags;
    torn |= input->fresh;
  }
  torn |= !call->stage->lasting && history_gap(history, work->time_us, stage_gap_us(work, 0));
  if (torn) {
    reset_memory(work);
  }
  history->begun = true;
  history->newest_us = work->time_us;
  const uint16_t spread = history_flags(history, flags, call->span);
  output->fresh = torn;
  if (stage_pace(work, call->pace) != NULL) {
    float32_fill_nothing(stage_output(work), work->signals[call->output].elements);
    output->flags = (uint16_t)(spread | QUALITY_OUT_OF_DOMAIN);
    return true;
  }
  output->flags = (uint16_t)(spread | call->stage->go_on(work));
  return true;
}

/* Whether the call makes a sample in this pass. */
static bool run_call(const struct work *work, struct sample *output) {
  const struct stage *stage = work->call->stage;
  switch (stage->kind) {
    case STAGE_ELEMENTWISE:
      return elementwise(work, output);
    case STAGE_REMEMBERING:
      return remembering(work, output);
    case STAGE_RECURSIVE:
      return recursive(work, output);
    case STAGE_LATCHED:
      return stage->join(work, output);
    case STAGE_REGRIDDED:
      if (stage_sample(work, 0)->present) {
        stage->take(work);
      }
      return false;
  }
  return false;
}

/* Run all calls on the samples that are present, and forget the samples. */
static void run_pass(struct graph *graph) {
  const struct graph_plan *plan = graph->plan;
  for (uint16_t signal = 0; signal < plan->signal_count; signal++) {
    if (plan->samples[signal].present) {
      graph->tell(graph->context, graph, signal);
    }
  }
  for (uint16_t i = 0; i < plan->call_count; i++) {
    const struct call *call = &plan->calls[i];
    const struct work work = work_of(graph, call);
    struct sample *output = &plan->samples[call->output];
    if (run_call(&work, output)) {
      output->present = true;
      graph->tell(graph->context, graph, call->output);
    }
  }
  memset(plan->samples, 0, plan->signal_count * sizeof plan->samples[0]);
}

void graph_start(struct graph *graph, const struct graph_plan *plan, graph_tell *tell, void *context) {
  *graph = (struct graph){.plan = plan, .tell = tell, .context = context};
  for (uint8_t sensor = 0; sensor < plan->pace_count; sensor++) {
    plan->paces[sensor].set_mhz = plan->paces[sensor].planned_mhz;
    plan->paces[sensor].at_mhz = plan->paces[sensor].planned_mhz;
  }
  for (uint8_t i = 0; i < plan->learning_count; i++) {
    graph_forget(graph, &plan->learnings[i]);
  }
  graph_reset(graph);
}

void *graph_learned(const struct graph *graph, const struct learning_place *learning) {
  return graph->plan->memory + graph->plan->calls[learning->call].keeps_at;
}

void graph_forget(const struct graph *graph, const struct learning_place *learning) {
  const struct call *call = &graph->plan->calls[learning->call];
  const struct work work = work_of(graph, call);
  call->stage->forget(&work);
}

bool graph_learned_is_sound(const struct graph *graph, const struct learning_place *learning) {
  const struct call *call = &graph->plan->calls[learning->call];
  const struct work work = work_of(graph, call);
  return call->stage->is_sound(&work);
}

void graph_reset(struct graph *graph) {
  const struct graph_plan *plan = graph->plan;
  memset(plan->samples, 0, plan->signal_count * sizeof plan->samples[0]);
  for (uint16_t i = 0; i < plan->call_count; i++) {
    const struct call *call = &plan->calls[i];
    const struct work work = work_of(graph, call);
    if (call->history != NULL) {
      reset_memory(&work);
    } else if (call->stage->kind != STAGE_ELEMENTWISE) {
      call->stage->reset(&work);
    }
  }
}

/* The graph goes by the rates that are set, or by the profile's where it does not fit together at one of them. */
static void choose_rates(const struct graph_plan *plan) {
  bool fits = true;
  for (uint8_t sensor = 0; sensor < plan->pace_count; sensor++) {
    const struct pace *pace = &plan->paces[sensor];
    fits &= pace->set_mhz == pace->planned_mhz || pace->set_mhz >= pace->least_mhz;
  }
  for (uint8_t sensor = 0; sensor < plan->pace_count; sensor++) {
    plan->paces[sensor].at_mhz = fits ? plan->paces[sensor].set_mhz : plan->paces[sensor].planned_mhz;
  }
}

void graph_set_rate(struct graph *graph, uint8_t sensor, uint32_t rate_mhz) {
  if (sensor < graph->plan->pace_count) {
    graph->plan->paces[sensor].set_mhz = rate_mhz;
    choose_rates(graph->plan);
    graph_reset(graph);
  }
}

bool graph_allows_rate(const struct graph *graph, uint8_t sensor, uint32_t rate_mhz) {
  const struct graph_plan *plan = graph->plan;
  return sensor >= plan->pace_count || !plan->paces[sensor].bound || plan->paces[sensor].planned_mhz == rate_mhz;
}

uint32_t graph_rate_mhz(const struct graph *graph, uint8_t sensor) {
  return sensor < graph->plan->pace_count ? graph->plan->paces[sensor].set_mhz : 0;
}

float *graph_values(const struct graph *graph, uint16_t signal) {
  return (float *)(void *)(graph->plan->memory + graph->plan->signals[signal].at);
}

const struct sample *graph_sample(const struct graph *graph, uint16_t signal) {
  return &graph->plan->samples[signal];
}

void graph_put(struct graph *graph, uint16_t signal, uint16_t flags, bool fresh) {
  graph->plan->samples[signal] = (struct sample){.flags = flags, .fresh = fresh, .present = true};
}

void graph_begin(struct graph *graph, int64_t time_us) {
  graph->time_us = time_us;
  run_pass(graph);
}

/* The depth and time of the first moment that waits at a call; false where none does. */
static bool waiting(const struct graph *graph, const struct call *call, uint8_t *depth, int64_t *time_us) {
  const struct work work = work_of(graph, call);
  *depth = graph->plan->signals[call->output].depth;
  return call->stage->waits(&work, time_us);
}

bool graph_step(struct graph *graph) {
  const struct graph_plan *plan = graph->plan;
  uint8_t first_depth = UINT8_MAX;
  int64_t first_us = INT64_MAX;
  uint8_t depth;
  int64_t time_us;
  for (uint16_t i = 0; i < plan->regridder_count; i++) {
    if (waiting(graph, &plan->calls[plan->regridders[i]], &depth, &time_us) &&
        (depth < first_depth || (depth == first_depth && time_us < first_us))) {
      first_depth = depth;
      first_us = time_us;
    }
  }
  if (first_depth == UINT8_MAX) {
    return false;
  }
  graph->time_us = first_us;
  for (uint16_t i = 0; i < plan->regridder_count; i++) {
    const struct call *call = &plan->calls[plan->regridders[i]];
    if (waiting(graph, call, &depth, &time_us) && depth == first_depth && time_us == first_us) {
      const struct work work = work_of(graph, call);
      struct sample *output = &plan->samples[call->output];
      call->stage->give(&work, output);
      output->present = true;
    }
  }
  run_pass(graph);
  return true;
}
