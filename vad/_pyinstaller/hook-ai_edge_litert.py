"""LiteRT alone: it mentions TensorFlow, which a program that only runs networks does without."""

excludedimports = ["tensorflow", "tflite"]
