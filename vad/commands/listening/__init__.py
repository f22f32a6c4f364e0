"""The pieces of `vad listen`: the session, and what follows it (views, files, a command)."""
