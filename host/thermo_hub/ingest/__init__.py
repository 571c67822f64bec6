"""The part that takes records of other hubs from an MQTT broker: each once, kept before the broker forgets it, and shown on the wall."""
