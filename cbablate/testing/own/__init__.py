"""Workloads as a user would write them, in files of a folder of their own."""
