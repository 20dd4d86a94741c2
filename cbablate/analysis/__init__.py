"""What it means: estimates and contrasts, pure functions of records."""
