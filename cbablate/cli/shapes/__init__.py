"""What `--json` prints of single cells, of pairs of studies, of searches, models and data."""
