/* What the firmware asks of CBOR, as one job that both codecs do: fields of a map found by their keys, in any order and
   of every kind the wire has, and an answer of every kind written, with a list whose length is known at its end. */
#ifndef CBOR_JOB_H
#define CBOR_JOB_H

#include <stddef.h>
#include <stdint.h>

/* Answer `body`, {"off": unsigned, "at": whole number, "value": number, "on": bool, "none": null, "name": text,
   "data": bytes, "list": [unsigned, ...], "map": {text: number, ...}} with the same fields; bytes written, 0 where a
   field is missing, of another kind, or does not fit. Of the list it writes what is above `off`, of the map the sum. */
size_t cbor_job(uint8_t *body, size_t size, uint8_t *answer, size_t capacity);

#endif
