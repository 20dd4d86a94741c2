"""What became of searches: tunings, what they cost, which winners are to be confirmed."""
