"""What a notebook shows, and what it asks of a ledger."""
