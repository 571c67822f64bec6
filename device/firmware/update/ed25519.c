/* SHA-512 around Monocypher's equation: what its optional file monocypher-ed25519.c does. */
#include "ed25519.h"

#include "monocypher.h"
#include "sha512.h"

bool ed25519_holds(const uint8_t key[ED25519_KEY_BYTES], const uint8_t *message, size_t size,
                   const uint8_t signature[ED25519_SIGNATURE_BYTES]) {
  sha512_context hash;
  uint8_t wide[64];
  uint8_t challenge[32];
  (void)sha512_init(&hash);
  (void)sha512_update(&hash, signature, 32);
  (void)sha512_update(&hash, key, ED25519_KEY_BYTES);
  (void)sha512_update(&hash, message, size);
  (void)sha512_final(&hash, wide);
  crypto_eddsa_reduce(challenge, wide);
  return crypto_eddsa_check_equation(signature, key, challenge) == 0;
}
