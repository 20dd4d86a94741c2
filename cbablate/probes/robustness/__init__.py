"""Probes of accuracy on disturbed images."""
