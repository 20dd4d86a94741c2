"""What keeps trials apart from each other and from the driver."""
