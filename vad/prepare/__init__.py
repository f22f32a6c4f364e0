"""From recordings with labels of any kind to the manifest that training and evaluation read."""
