"""What several tests share: sounds, tiny models, stand-ins for devices and agents."""
