"""Every statistic of the product against strangers' code, enumeration and simulation.

The folder is not called `statistics`, as Python's own module of that name would be hidden from the
scripts beside it.
"""
