#include "identity.h"

#include <string.h>

#include "registers.h"
#include "rom_flash.h"

#define SIMULATED_PREFIX "SIM-"
#define SIMULATED_DIGITS 8U
#define SERIAL_SIZE (2U * ROM_FLASH_UNIQUE_ID + 1U)

bool identity_is_simulated(void) {
  return (TBMAN_PLATFORM & (TBMAN_SILICON | TBMAN_GATE_ARRAY)) == 0U;
}

const char *identity_serial(void) {
  static const char digits[] = "0123456789ABCDEF";
  static char serial[SERIAL_SIZE];
  uint8_t id[ROM_FLASH_UNIQUE_ID];
  rom_flash_unique_id(id);
  if (!identity_is_simulated()) {
    for (size_t i = 0; i < sizeof id; i++) {
      serial[2U * i] = digits[id[i] >> 4];
      serial[2U * i + 1U] = digits[id[i] & 15U];
    }
    return serial;
  }
  uint32_t number = (uint32_t)id[4] << 24 | (uint32_t)id[5] << 16 | (uint32_t)id[6] << 8 | id[7];
  memcpy(serial, SIMULATED_PREFIX, sizeof SIMULATED_PREFIX - 1U);
  for (size_t i = SIMULATED_DIGITS; i-- > 0U; number /= 10U) {
    serial[sizeof SIMULATED_PREFIX - 1U + i] = digits[number % 10U];
  }
  return serial;
}
