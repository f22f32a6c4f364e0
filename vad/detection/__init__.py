"""Samples to probabilities to segments: the model's runtime, the stream, the segmenter."""
