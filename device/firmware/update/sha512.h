/* SHA-512 (FIPS 180-4), built for size: Ed25519 needs it, so images are hashed with it too. */
#ifndef SHA512_H
#define SHA512_H

#include <stddef.h>
#include <stdint.h>

#define SHA512_BYTES 64U
#define SHA512_BLOCK_BYTES 128U

struct sha512 {
  uint64_t state[8];
  uint32_t size; /* bytes so far */
  uint8_t block[SHA512_BLOCK_BYTES];
};

void sha512_begin(struct sha512 *hash);
/* Of all calls together less than 4 GiB. */
void sha512_add(struct sha512 *hash, const void *data, size_t size);
void sha512_end(struct sha512 *hash, uint8_t digest[SHA512_BYTES]);

#endif
