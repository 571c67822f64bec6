"""Networks, their training data and the artefacts trained from them."""
