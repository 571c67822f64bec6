/* What a stage is: a row (`struct stage`) of what it does with signals. Five kinds, as in thermo_core.stages.stage:
   elementwise stages have no memory, remembering ones look back over samples, recursive ones carry a state from moment
   to moment, latched ones join signals of different clocks, regridded ones make moments of their own. */
#ifndef STAGE_H
#define STAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct board;

/* Of what a graph, its findings and its alerts keep, which begins with zeros: memory that the graph of a container
   takes instead, where the firmware has slots for one. */
#define MODEL_ROOM __attribute__((section(".bss.model_room")))

/* A signal: where its values lie and what they are. */
struct signal {
  uint32_t at; /* byte of the graph's memory where `elements` float32 begin, a multiple of 4 */
  uint32_t elements;
  int64_t
      gap_us; /* at the profile's rates: longest time between two samples that is no gap; 0: there is no such thing */
  uint8_t depth; /* stages with a clock of their own between a sensor and it */
  uint8_t pace;  /* 1 + number of the sensor whose rate its own follows; 0: it keeps its rate */
};

/* Rate of a sensor, which a host or a slow bus can change. */
struct pace {
  uint32_t planned_mhz; /* of the profile */
  uint32_t least_mhz;   /* below this the graph is that of the profile's rates */
  uint32_t set_mhz;
  bool bound;      /* parameters of stages are those of the profile's rate */
  uint32_t at_mhz; /* what the graph goes by */
};

/* One moment of a signal, apart from its values. */
struct sample {
  uint16_t flags; /* enum quality */
  bool fresh;     /* what came before belongs to something else: memories start anew */
  bool present;   /* there is one in this pass */
};

struct stage;

/* A stage or a model in its place. */
struct call {
  const struct stage *stage;
  const void *parameters;  /* of the stage's own type */
  void *state;             /* of the stage's own type; NULL for one without */
  struct history *history; /* of remembering and recursive stages */
  const uint16_t *inputs;  /* numbers of signals */
  uint16_t input_count;
  uint16_t output;   /* number of the signal it makes */
  uint16_t span;     /* of stages with a history: samples for which a flag of its inputs goes on */
  uint8_t pace;      /* of recursive stages, as of a signal: the sensor for whose planned rate its constants are made */
  uint32_t keeps_at; /* byte of the graph's memory: numbers it keeps from moment to moment */
  uint32_t scratch_at; /* byte of the graph's memory: room during a call */
};

/* A call at one moment: what its stage is given. */
struct work {
  const struct call *call;
  const struct signal *signals;
  const struct sample *samples; /* of this pass, by signal */
  const struct pace *paces;     /* by sensor */
  uint8_t *memory;
  int64_t time_us;           /* of this pass */
  const struct board *board; /* whose clock it is; NULL: nobody asks how long networks take */
};

enum stage_kind { STAGE_ELEMENTWISE, STAGE_REMEMBERING, STAGE_RECURSIVE, STAGE_LATCHED, STAGE_REGRIDDED };

/* Functions that a kind does not have are NULL. */
struct stage {
  const char *name; /* as a profile calls it */
  enum stage_kind kind;
  /* Recursive: its state outlives a time without samples; otherwise it starts anew after one. */
  bool lasting;
  /* Elementwise: flags of its inputs that end here. */
  uint16_t settles;
  /* Elementwise: make the output of all inputs; returns flags to add. */
  uint16_t (*apply)(const struct work *work);
  /* Remembering: take a sample; whether there is an output now. */
  bool (*push)(const struct work *work);
  /* Recursive: go on with a moment, and make its output; returns flags to add. */
  uint16_t (*go_on)(const struct work *work);
  /* Latched: take the inputs that are present; whether there is an output now, with its flags. */
  bool (*join)(const struct work *work, struct sample *output);
  /* Regridded: take a sample. */
  void (*take)(const struct work *work);
  /* Regridded: whether a moment waits, and when it is. */
  bool (*waits)(const struct work *work, int64_t *time_us);
  /* Regridded: make the output of the first moment that waits, and forget that moment. */
  void (*give)(const struct work *work, struct sample *output);
  /* All but elementwise: start anew; what was learned of the wearer stays. */
  void (*reset)(const struct work *work);
  /* Of a stage that learns of its wearer, NULL of others: know nothing. */
  void (*forget)(const struct work *work);
  /* Likewise: whether what it keeps, which came from elsewhere, can have come about. */
  bool (*is_sound)(const struct work *work);
};

static inline const struct signal *stage_signal(const struct work *work, uint32_t input) {
  return &work->signals[work->call->inputs[input]];
}

static inline const struct sample *stage_sample(const struct work *work, uint32_t input) {
  return &work->samples[work->call->inputs[input]];
}

/* The pace of a signal that has another rate than in the profile; NULL for others. */
static inline const struct pace *stage_pace(const struct work *work, uint8_t pace) {
  const struct pace *found = pace != 0 ? &work->paces[pace - 1] : NULL;
  return found != NULL && found->at_mhz != found->planned_mhz ? found : NULL;
}

/* Longest time between two samples of an input that is no gap; 0: there is no such thing. */
static inline int64_t stage_gap_us(const struct work *work, uint32_t input) {
  const struct signal *signal = stage_signal(work, input);
  const struct pace *pace = stage_pace(work, signal->pace);
  return pace == NULL ? signal->gap_us : signal->gap_us * pace->planned_mhz / pace->at_mhz;
}

static inline float *stage_numbers(const struct work *work, uint32_t at) {
  return (float *)(void *)(work->memory + at);
}

static inline const float *stage_input(const struct work *work, uint32_t input) {
  return stage_numbers(work, stage_signal(work, input)->at);
}

static inline float *stage_output(const struct work *work) {
  return stage_numbers(work, work->signals[work->call->output].at);
}

static inline void *stage_keeps(const struct work *work) {
  return work->memory + work->call->keeps_at;
}

static inline void *stage_scratch(const struct work *work) {
  return work->memory + work->call->scratch_at;
}

#endif
