"""Reading, checking and rendering data sets."""
