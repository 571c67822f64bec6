"""A profile's graph: checked before anything runs, then run one moment at a time or over whole recordings, with the same bytes."""
