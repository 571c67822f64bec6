"""What is around simulated wearables: a TOML file each."""
