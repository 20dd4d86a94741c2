"""One arm against another: paired differences, their corrections, the verdict."""
