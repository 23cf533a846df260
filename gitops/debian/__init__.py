"""Debian archives: verified releases and indexes, what apt chooses from them, and the store of .debs."""
