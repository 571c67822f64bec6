"""How much of what: each limit that a profile, a record on the wire and an array of the firmware share, once.

The firmware's headers repeat some of them; `tests/quantize/test_limits.py` holds the two to each other.
"""

MAX_AVERAGE_PICTURES = 255
"""Pictures a mean runs over: a verdict's record has eight bits for them."""
MAX_LABELS = 64
MAX_CHANNELS = 4
MAX_PROFILE_BYTES = 4096
"""Of a profile as canonical CBOR, so that it and a hello made of its texts fit one management message."""
FIRMWARE_AVERAGE_PICTURES = 16
"""Pictures the firmware has room to average."""
FIRMWARE_HELLO_TEXT_BYTES = 1024
"""Of name, notice, labels and channel names together, in UTF-8: what is left for them in the firmware's longest message."""
