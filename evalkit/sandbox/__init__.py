"""A loopback server that speaks Cohere's v2 API, for trying and testing without an account."""
