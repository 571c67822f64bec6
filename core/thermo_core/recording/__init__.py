"""Recordings: MCAP files with everything a wearable sent. What is in them, and reading them whatever became of them."""
