#include "sha512.h"

#include <string.h>

#include "bytes.h"

/* The first 64 bits of the fractions of the cube roots of the first 80 primes, and of the square roots of 8. */
static const uint64_t rounds[80] = {
    0x428A2F98D728AE22U, 0x7137449123EF65CDU, 0xB5C0FBCFEC4D3B2FU, 0xE9B5DBA58189DBBCU, 0x3956C25BF348B538U,
    0x59F111F1B605D019U, 0x923F82A4AF194F9BU, 0xAB1C5ED5DA6D8118U, 0xD807AA98A3030242U, 0x12835B0145706FBEU,
    0x243185BE4EE4B28CU, 0x550C7DC3D5FFB4E2U, 0x72BE5D74F27B896FU, 0x80DEB1FE3B1696B1U, 0x9BDC06A725C71235U,
    0xC19BF174CF692694U, 0xE49B69C19EF14AD2U, 0xEFBE4786384F25E3U, 0x0FC19DC68B8CD5B5U, 0x240CA1CC77AC9C65U,
    0x2DE92C6F592B0275U, 0x4A7484AA6EA6E483U, 0x5CB0A9DCBD41FBD4U, 0x76F988DA831153B5U, 0x983E5152EE66DFABU,
    0xA831C66D2DB43210U, 0xB00327C898FB213FU, 0xBF597FC7BEEF0EE4U, 0xC6E00BF33DA88FC2U, 0xD5A79147930AA725U,
    0x06CA6351E003826FU, 0x142929670A0E6E70U, 0x27B70A8546D22FFCU, 0x2E1B21385C26C926U, 0x4D2C6DFC5AC42AEDU,
    0x53380D139D95B3DFU, 0x650A73548BAF63DEU, 0x766A0ABB3C77B2A8U, 0x81C2C92E47EDAEE6U, 0x92722C851482353BU,
    0xA2BFE8A14CF10364U, 0xA81A664BBC423001U, 0xC24B8B70D0F89791U, 0xC76C51A30654BE30U, 0xD192E819D6EF5218U,
    0xD69906245565A910U, 0xF40E35855771202AU, 0x106AA07032BBD1B8U, 0x19A4C116B8D2D0C8U, 0x1E376C085141AB53U,
    0x2748774CDF8EEB99U, 0x34B0BCB5E19B48A8U, 0x391C0CB3C5C95A63U, 0x4ED8AA4AE3418ACBU, 0x5B9CCA4F7763E373U,
    0x682E6FF3D6B2B8A3U, 0x748F82EE5DEFB2FCU, 0x78A5636F43172F60U, 0x84C87814A1F0AB72U, 0x8CC702081A6439ECU,
    0x90BEFFFA23631E28U, 0xA4506CEBDE82BDE9U, 0xBEF9A3F7B2C67915U, 0xC67178F2E372532BU, 0xCA273ECEEA26619CU,
    0xD186B8C721C0C207U, 0xEADA7DD6CDE0EB1EU, 0xF57D4F7FEE6ED178U, 0x06F067AA72176FBAU, 0x0A637DC5A2C898A6U,
    0x113F9804BEF90DAEU, 0x1B710B35131C471BU, 0x28DB77F523047D84U, 0x32CAAB7B40C72493U, 0x3C9EBE0A15C9BEBCU,
    0x431D67C49C100D4CU, 0x4CC5D4BECB3E42B6U, 0x597F299CFC657E2AU, 0x5FCB6FAB3AD6FAECU, 0x6C44198C4A475817U,
};
static const uint64_t first[8] = {
    0x6A09E667F3BCC908U, 0xBB67AE8584CAA73BU, 0x3C6EF372FE94F82BU, 0xA54FF53A5F1D36F1U,
    0x510E527FADE682D1U, 0x9B05688C2B3E6C1FU, 0x1F83D9ABFB41BD6BU, 0x5BE0CD19137E2179U,
};

static uint64_t rotated(uint64_t word, unsigned by) {
  return word >> by | word << (64U - by);
}

static void take_block(struct sha512 *hash) {
  uint64_t schedule[16];
  uint64_t work[8];
  memcpy(work, hash->state, sizeof work);
  for (unsigned i = 0; i < 80U; i++) {
    uint64_t *const word = &schedule[i % 16U];
    if (i < 16U) {
      *word = load_be64(hash->block + 8U * i);
    } else {
      const uint64_t early = schedule[(i + 1U) % 16U];
      const uint64_t late = schedule[(i + 14U) % 16U];
      *word += (rotated(early, 1) ^ rotated(early, 8) ^ early >> 7) + schedule[(i + 9U) % 16U] +
               (rotated(late, 19) ^ rotated(late, 61) ^ late >> 6);
    }
    const uint64_t a = work[0];
    const uint64_t e = work[4];
    const uint64_t one = work[7] + (rotated(e, 14) ^ rotated(e, 18) ^ rotated(e, 41)) +
                         (work[6] ^ (e & (work[5] ^ work[6]))) + rounds[i] + *word;
    const uint64_t two =
        (rotated(a, 28) ^ rotated(a, 34) ^ rotated(a, 39)) + ((a & work[1]) | (work[2] & (a | work[1])));
    memmove(work + 1, work, 7U * sizeof work[0]);
    work[4] += one;
    work[0] = one + two;
  }
  for (unsigned i = 0; i < 8U; i++) {
    hash->state[i] += work[i];
  }
}

void sha512_begin(struct sha512 *hash) {
  memcpy(hash->state, first, sizeof hash->state);
  hash->size = 0;
}

void sha512_add(struct sha512 *hash, const void *data, size_t size) {
  const uint8_t *bytes = data;
  for (size_t done = 0; done < size; done++) {
    hash->block[hash->size++ % SHA512_BLOCK_BYTES] = bytes[done];
    if (hash->size % SHA512_BLOCK_BYTES == 0) {
      take_block(hash);
    }
  }
}

void sha512_end(struct sha512 *hash, uint8_t digest[SHA512_BYTES]) {
  const uint32_t size = hash->size;
  uint8_t bits[16] = {0}; /* 128 of them, of which no image needs more than 35 */
  uint8_t pad = 0x80;
  do {
    sha512_add(hash, &pad, 1);
    pad = 0;
  } while (hash->size % SHA512_BLOCK_BYTES != SHA512_BLOCK_BYTES - sizeof bits);
  store_be64(bits + 8, (uint64_t)size * 8U);
  sha512_add(hash, bits, sizeof bits);
  for (unsigned i = 0; i < 8U; i++) {
    store_be64(digest + 8U * i, hash->state[i]);
  }
}
