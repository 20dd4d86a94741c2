"""The tables of a study: its arms, and the other views."""
