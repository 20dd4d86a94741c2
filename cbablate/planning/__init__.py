"""What will be run: pure functions from a study to its arms, trials and cost."""
