"""From a Keras model to a verified, signed int8 model bundle."""
