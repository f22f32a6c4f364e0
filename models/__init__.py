"""The networks that ship with the package: a .tflite, its card (.json) and its .keras source each."""
