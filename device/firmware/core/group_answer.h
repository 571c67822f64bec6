/* What the commands of group 65 share: refusals in its codes, parts of something longer, fields of maps. */
#ifndef GROUP_ANSWER_H
#define GROUP_ANSWER_H

#include "smp.h"
#include "wearable.h"

/* What a request for a part asks. */
struct group_part {
  uint32_t offset, sensor, slot;
};

/* Collects the results of a self-test. */
struct group_results {
  struct cbor_writer *body;
  uint32_t count;
};

void put_text(struct cbor_writer *body, const char *key, const char *text);
void put_unsigned(struct cbor_writer *body, const char *key, uint64_t number);
void put_bool(struct cbor_writer *body, const char *key, bool value);
void put_number(struct cbor_writer *body, const char *key, float number);

/* Refuse with a code of the group; the sentence is added to the text that is returned. */
struct text *group_refuse(struct smp_answer *answer, enum group_error code);
void group_refuse_absent(struct smp_answer *answer, const struct sensor *sensor, const struct sensor_status *now);

/* The sensor of a number; NULL after a refusal. */
const struct sensor *group_sensor(const struct wearable *wearable, struct smp_answer *answer, uint32_t number);

/* Read what is asked for; false after a refusal. */
bool group_wanted(const struct smp_request *request, struct smp_answer *answer, struct group_part *wanted);

/* Write the answer with a part of `whole` bytes. Returns where its bytes go and how many; NULL where it is refused or
   does not fit. */
uint8_t *group_put_part(struct smp_answer *answer, const struct group_part *wanted, size_t whole, uint32_t constants,
                        size_t *size);
void group_put_bytes(struct smp_answer *answer, const struct group_part *wanted, const uint8_t *data, size_t whole);

#endif
