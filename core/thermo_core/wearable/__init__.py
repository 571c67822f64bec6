"""The wearable as data: its profile, the file a person writes, what it must know of its wearer."""
