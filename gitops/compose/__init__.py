"""Compose files of elsewhere, turned into apps and images: what can be carried over, and what cannot."""
