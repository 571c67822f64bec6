"""Where items of a stream go: recordings, what a person wants to know, JSON, sums."""
