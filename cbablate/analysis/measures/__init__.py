"""What probes measured, compared over arms: layers, attention, mechanisms, curves."""
