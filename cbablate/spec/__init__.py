"""What is asked: studies as frozen values, and the one module that reads YAML."""
