"""Readers: what programs write anyway, read as rows of numbers while they run."""
