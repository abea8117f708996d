"""Pure: resampling, comparison, bounds and power."""
