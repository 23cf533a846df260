"""Trying what was built: images by commands in them, apps by an instance that is there for the test alone."""
