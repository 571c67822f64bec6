"""Live viewers of others: what comes of a wearable, served to Foxglove."""
