"""C for every layer: one file a family of kernels, plain C first and faster ones for instruction sets that have them."""
