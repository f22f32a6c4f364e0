"""The stages of `vad detect`: recordings, analysis, outputs, results."""
