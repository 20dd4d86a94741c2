"""What a trial does: the port, and the workloads that ship with cbablate."""
