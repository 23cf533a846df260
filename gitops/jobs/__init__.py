"""Scheduled commands, run inside an instance's service."""
