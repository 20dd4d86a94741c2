"""The ledger in one SQLite file, and all that keeps it whole."""
