"""One module per command of the `vad` program: `add_arguments(parser)` and `run(args) -> int`."""
