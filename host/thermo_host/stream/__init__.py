"""What comes of listening or from a recording, item by item: one source for any number of sinks."""
