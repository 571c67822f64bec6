"""Review by physicians: windows of recordings, read blind, read twice, decided, and given to training as labels."""
