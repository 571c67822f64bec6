"""Where the development key pair lies: for simulated and emulated wearables, since its private half is published with the code."""

from pathlib import Path

DEVELOPMENT_PRIVATE_KEY = Path(__file__).with_name("development_ed25519.pem")
DEVELOPMENT_PUBLIC_KEY = Path(__file__).with_name("development_ed25519.pub.pem")
