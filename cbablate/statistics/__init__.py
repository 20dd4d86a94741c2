"""What numbers say by themselves: t, power, coverage, resampling, sequential bounds."""
