"""A user's own code: found, known by its content, imported apart, checked."""
