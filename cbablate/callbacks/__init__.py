"""Callbacks: other people's training loops, reporting to cbablate."""
