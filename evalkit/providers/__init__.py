"""Models behind one small interface: embedded ones, Cohere's, and servers that speak the same shape."""
