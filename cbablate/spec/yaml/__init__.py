"""From text to a tree of values with their places, by the YAML that a study may use."""
