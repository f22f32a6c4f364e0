"""Recordings, pipes and microphones: samples at the model's rate, block by block."""
