/* Whether a message was signed: Ed25519 as RFC 8032 has it. The equation is Monocypher's, which refuses a scalar that
   is not reduced. */
#ifndef ED25519_H
#define ED25519_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ED25519_KEY_BYTES 32
#define ED25519_SIGNATURE_BYTES 64

/* Whether `signature` of the message holds with this public key, which must be one made by the rules. */
bool ed25519_holds(const uint8_t key[ED25519_KEY_BYTES], const uint8_t *message, size_t size,
                   const uint8_t signature[ED25519_SIGNATURE_BYTES]);

#endif
