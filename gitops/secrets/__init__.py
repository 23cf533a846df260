"""Secrets: encrypted in git for the hosts that need them, readable on those hosts alone."""
