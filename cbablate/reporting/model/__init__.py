"""A table as a value: cells, columns, rows, numbers, and what it looks like as text."""
