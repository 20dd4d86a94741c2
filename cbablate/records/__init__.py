"""What happened: facts, trial states, and the append-only ledger that keeps them."""
