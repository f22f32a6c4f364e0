"""The operating point that serves a goal best on labelled recordings, and its cross-validated metrics."""
