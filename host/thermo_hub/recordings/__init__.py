"""Recordings: made of what a wearable says, listed, and looked at again."""
