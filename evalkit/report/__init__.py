"""Pure: from results to what people read."""
