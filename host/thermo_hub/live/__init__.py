"""Live pages: what wearables measure and say, to every viewer at once, encoded once."""
