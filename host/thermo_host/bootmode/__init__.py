"""Ways to put a firmware on a microcontroller that runs none of ours: through its boot ROM, its boot loader or a debug probe."""
