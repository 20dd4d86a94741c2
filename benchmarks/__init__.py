"""Benchmarks: how fast, and how far what is printed can be trusted."""
