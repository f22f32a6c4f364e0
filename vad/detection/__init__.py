"""Speech detection: the model, the segmenter, the stream and the detector."""
