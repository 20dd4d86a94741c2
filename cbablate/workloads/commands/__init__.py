"""Commands: programs in any language that train, started, read, stopped and told as trials."""
