"""What the name of a container ends in while its instance is being rolled out."""

BEFORE = ".before"
"""What the name of a container ends in that stands aside until the one that takes its place is well."""

OVER = ".over"
"""What its name ends in when it is needed no more, and neither is any other of its instance."""
