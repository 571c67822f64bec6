"""What stands out of a thermal picture: warmer than is usual for this person, and warmer than the mirrored side; drawn upon it."""
