"""What carries paid calls: the ledger of responses, pacing, budget."""
