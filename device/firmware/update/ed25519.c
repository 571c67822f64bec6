/* SHA-512 around Monocypher's equation: what its optional file monocypher-ed25519.c does. */
#include "ed25519.h"

#include "monocypher.h"
#include "sha512.h"

bool ed25519_holds(const uint8_t key[ED25519_KEY_BYTES], const uint8_t *message, size_t size,
                   const uint8_t signature[ED25519_SIGNATURE_BYTES]) {
  struct sha512 hash;
  uint8_t wide[SHA512_BYTES];
  uint8_t challenge[32];
  sha512_begin(&hash);
  sha512_add(&hash, signature, 32);
  sha512_add(&hash, key, ED25519_KEY_BYTES);
  sha512_add(&hash, message, size);
  sha512_end(&hash, wide);
  crypto_eddsa_reduce(challenge, wide);
  return crypto_eddsa_check_equation(signature, key, challenge) == 0;
}
