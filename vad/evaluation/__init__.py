"""Metrics of detectors on labelled recordings, the tuning of operating points, and the benchmark."""
