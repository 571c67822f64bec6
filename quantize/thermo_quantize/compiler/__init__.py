"""Ahead-of-time compiler from int8 .tflite models to C11: no interpreter, no heap, exactly the reference kernels' numbers."""
