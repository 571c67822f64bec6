"""What wearables say, as LSL streams of the hub."""
