"""The context operators, one module each, and their table."""
