/* The MLX90640's address map and the fields of its registers (datasheet section 10.5). */
#ifndef MLX90640_REGISTERS_H
#define MLX90640_REGISTERS_H

#include <stdbool.h>
#include <stdint.h>

#define MLX90640_RAM 0x0400U
#define MLX90640_AUXILIARY 0x0700U
#define MLX90640_EEPROM 0x2400U
#define MLX90640_EEPROM_WORDS 832U
#define MLX90640_STATUS 0x8000U
#define MLX90640_CONTROL 0x800DU

#define MLX90640_VBE 0x0700U
#define MLX90640_CP_0 0x0708U
#define MLX90640_GAIN 0x070AU
#define MLX90640_PTAT 0x0720U
#define MLX90640_CP_1 0x0728U
#define MLX90640_VDD 0x072AU
#define MLX90640_DEVICE_ID 0x2407U /* three words */

#define MLX90640_CONTROL_DEFAULT 0x1901U     /* after power-on */
#define MLX90640_CONTROL_MEASUREMENT 0x1C00U /* pattern and resolution */
#define MLX90640_STATUS_SUBPAGE 0x0007U
#define MLX90640_STATUS_NEW_DATA 0x0008U
#define MLX90640_STATUS_CLEARED 0x0030U /* overwriting enabled, no new data */

/* Both subpages in turn, at a refresh code (0: 0.5 Hz to 7: 64 Hz) and resolution code (0: 16 bit to 3: 19 bit). */
static inline uint16_t mlx90640_control(uint32_t refresh_code, uint32_t resolution_code, bool chess) {
  return (uint16_t)(1U | refresh_code << 7 | resolution_code << 10 | (chess ? 1U << 12 : 0U));
}

static inline uint32_t mlx90640_refresh_code(uint16_t control) {
  return control >> 7 & 7U;
}

static inline uint8_t mlx90640_resolution_code(uint16_t control) {
  return control >> 10 & 3U;
}

static inline bool mlx90640_chess(uint16_t control) {
  return (control & 1U << 12) != 0;
}

/* Subpages a second. */
static inline float mlx90640_refresh_hz(uint16_t control) {
  return 0.5F * (float)(1UL << mlx90640_refresh_code(control));
}

#endif
