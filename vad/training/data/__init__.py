"""What a network is trained on: decoded corpus, scenes, batches."""
