"""Lab Streaming Layer: what a wearable says as outlets, and streams of others into a recording."""
