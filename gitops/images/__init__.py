"""Images: the lock of their packages, the identity that is their tag, and building them without network."""
