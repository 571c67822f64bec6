"""Models trained from this repository, each with its card, its figures and its signed bundle."""
