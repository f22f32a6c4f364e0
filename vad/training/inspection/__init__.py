"""Looking into a trained network: what it learned, and what made it say speech.

A view is one module with one function ``inspect``, from a `Subject` (and mostly a `Clip`) to a `View`: pictures,
findings in words, and the arrays behind both. `page` writes them.
"""
