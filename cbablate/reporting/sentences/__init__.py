"""What is said of the numbers: claims, notes, captions, what a reviewer would ask."""
