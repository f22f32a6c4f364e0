"""A trained network becomes a model file: converted, proven, described."""
