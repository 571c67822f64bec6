"""What to do about a package that is not there, in words that end a sentence. No package index has thermo-edge."""

INSTALL_TRAIN = (
    "run `.venv/bin/pip install --require-hashes -r locks/test.txt` in the folder thermo-edge was cloned into"
)
