"""The documentation's own code: the reference of files, made from the types, and the site."""
