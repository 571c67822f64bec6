"""Reads .tflite files strictly: every offset is checked, and nothing but Python and the file is needed."""
