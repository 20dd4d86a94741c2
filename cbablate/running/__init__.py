"""The doing: executors, the loop of a study, and the mirrors that show it elsewhere."""
