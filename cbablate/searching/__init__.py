"""Searches: which proposal comes next, by Optuna, as the facts leave them."""
