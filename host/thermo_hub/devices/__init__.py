"""Looking after wearables: what they are and count, self-tests, resets, new bundles."""
