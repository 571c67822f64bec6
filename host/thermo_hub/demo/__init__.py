"""A hub that has something to show: simulated wearables with people who wear them."""
