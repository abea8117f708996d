"""Every figure of speed and memory that the project claims, reproducible by `make bench`."""
