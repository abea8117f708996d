"""Pure: curves, goals, certificates and the policies that production applies."""
