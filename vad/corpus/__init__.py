"""Labelled recordings, with their speakers and splits."""
