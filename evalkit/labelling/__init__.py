"""Judging a pool in the browser: a page on loopback, every judgment on disk before the next is shown."""
