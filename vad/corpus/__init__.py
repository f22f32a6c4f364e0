"""Labelled recordings: what they are, whose voice, which split."""
