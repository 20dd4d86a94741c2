"""Probes of attention."""
