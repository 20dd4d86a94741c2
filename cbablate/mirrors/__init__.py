"""Copies of the ledger that others show: MLflow and Optuna. Nothing is ever read back from them."""
