"""What happens when the API, the network, the disk or the process fails: over loopback, with the real SDK."""
