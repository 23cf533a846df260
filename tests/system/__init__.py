"""The ways to the machine."""
