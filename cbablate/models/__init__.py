"""The networks under test: context operators, and placing them in timm models."""
