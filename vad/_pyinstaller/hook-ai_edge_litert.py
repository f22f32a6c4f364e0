"""Leaves out TensorFlow, which LiteRT imports only if it is used."""

excludedimports = ["tensorflow", "tflite"]
