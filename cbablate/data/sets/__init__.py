"""The data sets, one module each, and fetching them."""
