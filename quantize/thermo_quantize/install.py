"""What to do about a package that is not there, in words that end a sentence. No package index has thermo-edge."""

_LOCK = "run `.venv/bin/pip install --require-hashes -r locks/{}.txt` in the folder thermo-edge was cloned into"
INSTALL_TRAIN = _LOCK.format("test")
INSTALL_DEVICE = _LOCK.format("device")
