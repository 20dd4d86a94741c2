"""How it is said: a table as a value, and what spells it out; figures."""
