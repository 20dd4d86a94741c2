"""What `plan` and `status` show."""
