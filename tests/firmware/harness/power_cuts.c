/* Cuts the power at every operation of flash: whatever is done to the slots or to what is kept, and again while the
   device recovers. A life is what happens from one power-up on: the loader chooses, and what it starts goes on towards
   the scenario's goal, as a host would have it. After a cut the next life must start an image that is confirmed, or one
   on trial that the life after it takes back; and what is kept is the old or the new.

   The scenarios of models are those of image 1: update/model_slots.c begins each life, and what a container's code
   would do is said by its first byte (power_cuts_container.c), because it is a microcontroller's. There a confirmed
   model must run, the old or the new, or one on trial that the next life takes back; never one whose golden vectors
   fail; and the compiled-in one only where no model was there.

   power_cuts IMAGES SCENARIO DEPTH STRIDE: IMAGES holds the old image for slot 0 and the new one for slots 0 and 1,
   then an old model, a new one and one whose golden vectors fail, each behind its length (u32), and the public key
   before them. DEPTH 1 or 2; of second cuts each STRIDE-th is made. Prints operations, cuts, second cuts, and lives. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "choice.h"
#include "crc.h"
#include "failing_flash.h"
#include "model_slots.h"
#include "slots.h"
#include "store.h"

#define BLOCK 256U
#define SLOT_BLOCKS 3U
#define STORE_BLOCK (2U * SLOT_BLOCKS)
#define BLOCKS (STORE_BLOCK + STORE_AREAS)
#define FLASH_BYTES (BLOCKS * BLOCK)
#define KEPT_BYTES 20U
#define PART 96U
#define RAM 0x20000000U
#define RAM_BYTES 0x40000U
#define MOST_STARTS 8
#define KINDS 4U

enum { OLD, NEW_A, NEW_B, MODEL_OLD, MODEL_NEW, MODEL_LYING, FILES };

struct file {
  uint8_t bytes[SLOT_BLOCKS * BLOCK];
  uint32_t size;
  uint8_t hash[IMAGE_HASH_BYTES];
  uint8_t sha256[SLOTS_SHA256_BYTES]; /* what a host would say of it; any bytes that differ from file to file */
  struct image_version version;
};

enum goal { GOAL_UPDATE, GOAL_PERMANENT, GOAL_REVERT, GOAL_ERASE, GOAL_CALIBRATION };

struct scenario {
  const char *name;
  enum goal goal;
  bool blank;     /* no image at all: the loader takes the first one */
  bool trial;     /* the new image is there and starts for the first time */
  bool failed;    /* the same, and it failed before */
  uint32_t begun; /* bytes of the new image that came before */
  bool model;     /* it is of the slots for models */
  bool lies;      /* the new one's golden vectors fail */
  bool good;      /* and all the same it was marked for good */
};

static const struct scenario scenarios[] = {
    {.name = "update", .goal = GOAL_UPDATE},
    {.name = "update for good", .goal = GOAL_PERMANENT},
    {.name = "first image", .goal = GOAL_UPDATE, .blank = true},
    {.name = "confirm", .goal = GOAL_UPDATE, .trial = true},
    {.name = "revert", .goal = GOAL_REVERT, .trial = true},
    {.name = "update again", .goal = GOAL_UPDATE, .failed = true},
    {.name = "resume", .goal = GOAL_UPDATE, .begun = 300},
    {.name = "erase", .goal = GOAL_ERASE, .trial = true},
    {.name = "calibration", .goal = GOAL_CALIBRATION},
    {.name = "model", .goal = GOAL_UPDATE, .model = true},
    {.name = "model for good", .goal = GOAL_PERMANENT, .model = true},
    {.name = "first model", .goal = GOAL_UPDATE, .blank = true, .model = true},
    {.name = "model confirm", .goal = GOAL_UPDATE, .trial = true, .model = true},
    {.name = "model revert", .goal = GOAL_REVERT, .trial = true, .model = true},
    {.name = "model again", .goal = GOAL_UPDATE, .failed = true, .model = true},
    {.name = "model resume", .goal = GOAL_UPDATE, .begun = 300, .model = true},
    {.name = "model erase", .goal = GOAL_ERASE, .trial = true, .model = true},
    {.name = "model lies", .goal = GOAL_REVERT, .trial = true, .model = true, .lies = true},
    {.name = "lies for good", .goal = GOAL_REVERT, .trial = true, .model = true, .lies = true, .good = true},
};

static struct {
  const struct scenario *scenario;
  const struct board *board;
  struct slot_pair pair;
  struct slots slots;
  struct store store;
  uint8_t key[1][ED25519_KEY_BYTES];
  struct file files[FILES];
  struct file old, new[SLOTS]; /* of the scenario */
  struct model_slots models;
  struct model_place place;
  uint8_t kept[2][KEPT_BYTES]; /* old and new */
  long lives;
  long power;   /* operations of flash that it lasts for; negative: for ever */
  long cuts[2]; /* where power failed, for the report */
  unsigned kinds[2];
} self;

static void fail(const char *what) {
  fprintf(stderr, "%s: %s; cut %u in operation %ld, then %u in %ld\n", self.scenario->name, what, self.kinds[0],
          self.cuts[0], self.kinds[1], self.cuts[1]);
  exit(EXIT_FAILURE);
}

static bool holds(const void *context, const struct flash_span *data) {
  (void)context;
  uint8_t last[4];
  flash_span_read(data, data->size - sizeof last, last, sizeof last);
  return flash_span_crc(data, data->size - sizeof last) == load_le32(last);
}

static const struct store_kind kept_kind = {KEPT_BYTES, KEPT_BYTES, holds, NULL};

static void open_store(void) {
  store_open(&self.store, &self.board->flash, &kept_kind, STORE_BLOCK, BLOCKS);
}

static bool keeps(unsigned which) {
  uint8_t there[KEPT_BYTES];
  const struct flash_span span = store_get(&self.store, STORE_CURRENT);
  if (span.size != sizeof there) {
    return false;
  }
  flash_span_read(&span, 0, there, sizeof there);
  return memcmp(there, self.kept[which], sizeof there) == 0;
}

static bool is_version(const struct choice *choice, const struct file *file) {
  return choice->way != CHOICE_NONE && image_version_order(&choice->image.version, &file->version) == 0;
}

/* Send what is missing of a file, up to `most` bytes. */
static enum slots_refusal upload(const struct file *file, uint32_t most) {
  const struct slots_first first = {.has_length = true, .length = file->size, .sha256 = file->sha256};
  char sentence[160];
  struct text reason;
  uint32_t at = 0;
  uint32_t next = 0;
  text_begin(&reason, sentence, sizeof sentence);
  enum slots_refusal refusal;
  do {
    const uint32_t left = file->size - at;
    refusal = slots_upload(&self.slots, at, file->bytes + at, left < PART ? left : PART, at == 0 ? &first : NULL, &next,
                           &reason);
    if (refusal == SLOTS_OK && next < at) {
      fail("an upload went back");
    }
    at = next;
  } while (refusal == SLOTS_OK && at < file->size && at < most);
  return refusal;
}

static enum slots_refusal mark(const struct file *file, bool permanent) {
  char sentence[160];
  struct text reason;
  text_begin(&reason, sentence, sizeof sentence);
  return slots_mark(&self.slots, file->hash, sizeof file->hash, permanent, &reason);
}

enum outcome { AGAIN, DONE, DARK };

/* A step may fail for want of power and for nothing else. */
static enum outcome ended(enum slots_refusal refusal, enum outcome otherwise) {
  if (refusal == SLOTS_OK) {
    return otherwise;
  }
  if (refusal != SLOTS_STORAGE) {
    fail("a step was refused");
  }
  return DARK;
}

/* As hosts do: what lies there whole is not sent again. */
static const struct file *there_already(void) {
  for (int slot = 0; slot < SLOTS; slot++) {
    const struct slot_state *state = slots_look(&self.slots, slot);
    if (state->fault == IMAGE_GOOD && memcmp(state->image.hash, self.new[slot].hash, IMAGE_HASH_BYTES) == 0) {
      return &self.new[slot];
    }
  }
  return NULL;
}

static enum outcome update(const struct choice *choice, bool permanent) {
  if (self.slots.running != SLOTS_NONE && is_version(choice, &self.new[0])) {
    return ended(slots_confirm(&self.slots), DONE);
  }
  const struct file *const there = there_already();
  const struct file *const file = there != NULL ? there : &self.new[slots_free(&self.slots)];
  const enum slots_refusal refusal = there != NULL ? SLOTS_OK : upload(file, UINT32_MAX);
  return refusal == SLOTS_OK ? ended(mark(file, permanent), AGAIN) : ended(refusal, DARK);
}

static enum outcome calibrate(void) {
  if (keeps(1)) {
    return DONE;
  }
  const enum status status = store_put(&self.store, self.kept[1], KEPT_BYTES);
  return status == STATUS_OK ? AGAIN : DARK;
}

static enum outcome go_on(const struct choice *choice) {
  switch (self.scenario->goal) {
    case GOAL_UPDATE:
    case GOAL_PERMANENT:
      return update(choice, self.scenario->goal == GOAL_PERMANENT);
    case GOAL_REVERT:
      return is_version(choice, &self.old) ? DONE : AGAIN;
    case GOAL_ERASE:
      return is_version(choice, &self.old) ? ended(slots_erase(&self.slots), DONE) : AGAIN;
    case GOAL_CALIBRATION:
    default:
      return calibrate();
  }
}

/* What the firmware makes of the models' slots when it begins. */
static struct choice begin_model(void) {
  static const struct container_host host = {.target = "m4"};
  static const struct profile compiled_in = {.model_count = 0};
  self.place = (struct model_place){.pair = &self.pair, .at = {flash_bytes(), flash_bytes() + SLOT_BLOCKS * BLOCK}};
  const struct profile *profile = model_slots_open(&self.models, &self.place, &host, &compiled_in);
  self.slots = self.models.slots;
  const int running = self.slots.running;
  if ((profile == &compiled_in) != (running == SLOTS_NONE)) {
    fail("another profile runs than the slots say");
  }
  if (running == SLOTS_NONE) {
    return (struct choice){.way = CHOICE_NONE, .slot = SLOTS_NONE};
  }
  const struct slot_state *state = slots_look(&self.slots, running);
  return (struct choice){.way = trailer_is_confirmed(&state->trailer) ? CHOICE_CONFIRMED : CHOICE_TRIAL,
                         .slot = running,
                         .image = state->image};
}

static enum outcome start_model(void) {
  const struct choice choice = begin_model();
  open_store();
  if (!keeps(0)) {
    fail("what was kept is lost");
  }
  if (choice.way == CHOICE_NONE && !self.scenario->blank) {
    fail("no model is left");
  }
  if (self.scenario->lies && is_version(&choice, &self.new[0])) {
    fail("a model runs whose golden vectors fail");
  }
  return go_on(&choice);
}

/* From one power-up on: what the loader does, and then what the scenario is about. */
static enum outcome start(void) {
  const struct scenario *s = self.scenario;
  if (s->model) {
    return start_model();
  }
  slots_open(&self.slots, &self.pair, SLOTS_NONE);
  const struct choice choice = choice_make(&self.slots);
  open_store();
  if (!keeps(0) && !(s->goal == GOAL_CALIBRATION && keeps(1))) {
    fail("what was kept is lost");
  }
  if (choice.way == CHOICE_LAST_RESORT && !s->blank) {
    fail("no confirmed image is left");
  }
  if (choice.way == CHOICE_NONE && !s->blank) {
    fail("no image is left");
  }
  if (choice_note(&self.slots, &choice) != STATUS_OK) {
    return DARK;
  }
  const int running = choice.way == CHOICE_LAST_RESORT ? SLOTS_NONE : choice.slot;
  slots_open(&self.slots, &self.pair, running);
  return go_on(&choice);
}

static void cut_after(long operations, enum flash_cut kind, uint32_t seed) {
  self.power = operations;
  flash_cut_after(operations, kind, seed);
}

static enum outcome live(void) {
  enum outcome outcome = AGAIN;
  self.lives++;
  for (int starts = 0; outcome == AGAIN && starts < MOST_STARTS; starts++) {
    outcome = start();
    if (self.power >= 0 && flash_operations() > self.power) {
      outcome = DARK; /* what a model gives way to needs no flash, but power */
    }
  }
  if (outcome == AGAIN) {
    fail("the goal is not reached");
  }
  return outcome;
}

/* What a life that nothing disturbs must come to. */
static void live_well(void) {
  if (live() != DONE) {
    fail("a device with power failed");
  }
  slots_open(&self.slots, &self.pair, SLOTS_NONE);
  const struct choice choice = self.scenario->model ? begin_model() : choice_make(&self.slots);
  const bool wants_new = self.scenario->goal == GOAL_UPDATE || self.scenario->goal == GOAL_PERMANENT;
  if (choice.way != CHOICE_CONFIRMED || !is_version(&choice, wants_new ? &self.new[0] : &self.old)) {
    fail("in the end another image starts");
  }
}

static void put(int slot, const struct file *file) {
  memcpy(flash_bytes() + (size_t)slot * SLOT_BLOCKS * BLOCK, file->bytes, file->size);
}

static void expect(bool condition) {
  if (!condition) {
    fail("the scenario does not begin");
  }
}

static const struct image_rules *rules_of(unsigned file) {
  static struct image_rules rules[3];
  static const uint32_t addresses[SLOTS] = {0x10010000U, 0x10050000U};
  for (unsigned slot = 0; slot < SLOTS; slot++) {
    rules[slot] =
        (struct image_rules){.flags = IMAGE_ROM_FIXED, .address = addresses[slot], .ram = RAM, .ram_size = RAM_BYTES};
  }
  for (unsigned i = 0; i < 3; i++) {
    rules[i].keys = (const uint8_t(*)[ED25519_KEY_BYTES])self.key;
    rules[i].key_count = 1;
  }
  return &rules[file >= MODEL_OLD ? 2 : file == NEW_B];
}

static void choose_files(void) {
  const struct scenario *s = self.scenario;
  const unsigned new = s->model ? (s->lies ? MODEL_LYING : MODEL_NEW) : NEW_A;
  self.old = self.files[s->model ? MODEL_OLD : OLD];
  self.new[0] = self.files[new];
  self.new[1] = self.files[s->model ? new : NEW_B];
  self.pair.rules[0] = *rules_of(s->model ? MODEL_OLD : NEW_A);
  self.pair.rules[1] = *rules_of(s->model ? MODEL_OLD : NEW_B);
}

static void set_the_scene(void) {
  const struct scenario *s = self.scenario;
  choose_files();
  self.board = flash_board(BLOCK, BLOCKS, 1, TRAILER_UNIT);
  self.pair.flash = &self.board->flash;
  expect(slot_pair_is_usable(&self.pair));
  open_store();
  expect(store_put(&self.store, self.kept[0], KEPT_BYTES) == STATUS_OK);
  const struct flash_span first = slot_whole(&self.pair, 0);
  const struct flash_span second = slot_whole(&self.pair, 1);
  if (!s->blank) {
    put(0, &self.old);
    expect(trailer_set_image_ok(&first) == STATUS_OK && trailer_set_magic(&first) == STATUS_OK);
  }
  slots_open(&self.slots, &self.pair, 0);
  if (s->trial || s->failed) {
    put(1, &self.new[1]);
    expect(!s->good || trailer_set_image_ok(&second) == STATUS_OK);
    expect(trailer_set_magic(&second) == STATUS_OK);
  }
  if (s->failed) {
    expect(trailer_set_copy_done(&second) == STATUS_OK);
  }
  if (s->begun > 0) {
    expect(upload(&self.new[1], s->begun) == SLOTS_OK);
  }
  cut_after(-1, CUT_BEFORE, 0);
}

static void read_images(const char *path) {
  FILE *file = fopen(path, "rb");
  if (file == NULL || fread(self.key, 1, sizeof self.key, file) != sizeof self.key) {
    fprintf(stderr, "power_cuts: %s cannot be read.\n", path);
    exit(EXIT_FAILURE);
  }
  for (unsigned i = 0; i < FILES; i++) {
    uint8_t size[4];
    struct image image;
    struct file *const one = &self.files[i];
    if (fread(size, 1, sizeof size, file) != sizeof size || load_le32(size) > sizeof one->bytes ||
        fread(one->bytes, 1, load_le32(size), file) != load_le32(size)) {
      fprintf(stderr, "power_cuts: %s is cut short.\n", path);
      exit(EXIT_FAILURE);
    }
    one->size = load_le32(size);
    memset(one->sha256, (int)i + 1, sizeof one->sha256);
    self.board = flash_board(BLOCK, BLOCKS, 1, TRAILER_UNIT);
    self.pair.flash = &self.board->flash;
    put(0, one);
    const struct flash_span place = slot_place(&self.pair, 0);
    if (image_verify(&place, rules_of(i), &image) != IMAGE_GOOD) {
      fprintf(stderr, "power_cuts: image %u does not verify.\n", i);
      exit(EXIT_FAILURE);
    }
    memcpy(one->hash, image.hash, sizeof image.hash);
    one->version = image.version;
  }
  (void)fclose(file);
}

static void prepare(void) {
  self.pair = (struct slot_pair){.first_block = {0, SLOT_BLOCKS}, .blocks = SLOT_BLOCKS};
  for (unsigned which = 0; which < 2; which++) {
    memset(self.kept[which], (int)(0x41 + which), KEPT_BYTES);
    store_le32(self.kept[which] + KEPT_BYTES - 4U, crc32_update(0, self.kept[which], KEPT_BYTES - 4U));
  }
}

int main(int count, char **words) {
  static uint8_t begun[FLASH_BYTES];
  static uint8_t cut_once[FLASH_BYTES];
  if (count != 5) {
    fprintf(stderr, "usage: power_cuts IMAGES SCENARIO DEPTH STRIDE\n");
    return EXIT_FAILURE;
  }
  for (size_t i = 0; i < sizeof scenarios / sizeof scenarios[0]; i++) {
    self.scenario = strcmp(scenarios[i].name, words[2]) == 0 ? &scenarios[i] : self.scenario;
  }
  if (self.scenario == NULL) {
    fprintf(stderr, "power_cuts: there is no scenario '%s'.\n", words[2]);
    return EXIT_FAILURE;
  }
  const bool twice = atoi(words[3]) > 1;
  const long stride = atol(words[4]) > 0 ? atol(words[4]) : 1;
  prepare();
  read_images(words[1]);
  set_the_scene();
  memcpy(begun, flash_bytes(), sizeof begun);
  live_well();
  const long operations = flash_operations();
  long cuts = 0;
  long second_cuts = 0;
  long turn = 0;
  self.lives = 0;
  for (self.cuts[0] = 0; self.cuts[0] < operations; self.cuts[0]++) {
    for (self.kinds[0] = 0; self.kinds[0] < KINDS; self.kinds[0]++) {
      self.cuts[1] = -1;
      memcpy(flash_bytes(), begun, sizeof begun);
      cut_after(self.cuts[0], (enum flash_cut)self.kinds[0], (uint32_t)(self.cuts[0] * 4 + 1));
      if (live() != DARK && flash_operations() <= self.cuts[0]) {
        fail("the power did not fail");
      }
      cuts++;
      memcpy(cut_once, flash_bytes(), sizeof cut_once);
      cut_after(-1, CUT_BEFORE, 0);
      live_well();
      const long recovery = flash_operations();
      for (self.cuts[1] = 0; twice && self.cuts[1] < recovery; self.cuts[1]++) {
        for (self.kinds[1] = 0; self.kinds[1] < KINDS; self.kinds[1]++) {
          if (turn++ % stride != 0) {
            continue;
          }
          memcpy(flash_bytes(), cut_once, sizeof cut_once);
          cut_after(self.cuts[1], (enum flash_cut)self.kinds[1], (uint32_t)(turn * 7 + 3));
          (void)live();
          second_cuts++;
          cut_after(-1, CUT_BEFORE, 0);
          live_well();
        }
      }
    }
  }
  printf("%ld %ld %ld %ld\n", operations, cuts, second_cuts, self.lives);
  return EXIT_SUCCESS;
}
