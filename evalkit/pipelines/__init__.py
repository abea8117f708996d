"""First stages, reranking and fusion: from a data set to runs."""
