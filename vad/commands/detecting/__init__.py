"""What `vad detect` does with a recording: inputs, analysis, outputs."""
