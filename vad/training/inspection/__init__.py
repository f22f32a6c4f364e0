"""Looking into a trained network: what it learned, and what made it report speech."""
