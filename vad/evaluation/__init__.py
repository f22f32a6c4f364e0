"""How good a detector is: figures of frames and segments, tuning, benchmark."""
