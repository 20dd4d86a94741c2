"""Campaigns of faults: `python -m tests.faults --help`."""
