"""Contracts of the ports, as classes of pytest tests that an implementation's own tests inherit."""
