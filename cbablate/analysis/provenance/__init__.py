"""What trials ran with: machines, versions, data, and what 0.1.0 recorded of them."""
