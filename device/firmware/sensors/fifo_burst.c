/* As thermo_core.sensors.moments. */
#include "fifo_burst.h"

#include "bytes.h"
#include "crc.h"

static bool hangs(const struct fifo_burst *burst, uint32_t channels, int32_t low, int32_t high) {
  for (uint32_t i = 0; i < burst->samples * channels; i++) {
    const int32_t count = burst->counts[i];
    if (count <= low || count >= high || count != burst->counts[i % channels]) {
      return false;
    }
  }
  return true;
}

uint32_t fifo_burst_digest(const struct fifo_burst *burst, uint32_t channels, int32_t low, int32_t high) {
  if (hangs(burst, channels, low, high)) {
    return crc32_update(0, (const uint8_t *)burst->counts, sizeof burst->counts[0] * channels);
  }
  uint8_t timing[9];
  store_le32(timing, burst->timing.period_us);
  store_le32(timing + 4, burst->timing.lost);
  timing[8] = burst->timing.status;
  const size_t size = sizeof burst->counts[0] * burst->samples * channels;
  return crc32_update(crc32_update(0, timing, sizeof timing), (const uint8_t *)burst->counts, size);
}

bool fifo_burst_begin_us(const struct fifo_burst *burst, uint64_t end_us, uint64_t *begin_us) {
  const uint64_t span_us = (uint64_t)(burst->samples - 1U) * burst->timing.period_us;
  *begin_us = end_us - span_us;
  return end_us >= span_us;
}
