"""Voice activity detection: when somebody speaks, in files, streams and at the microphone."""

__version__ = "0.1.0"
