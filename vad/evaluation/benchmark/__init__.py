"""Our models beside other detectors: the same recordings, the same conditions, the same grid of 10 ms."""
