"""What `vad listen` does with a stream: session, files, hooks, views."""
