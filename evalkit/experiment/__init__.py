"""The only one who knows everybody: load, check, run, measure, calibrate, report."""
