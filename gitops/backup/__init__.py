"""Datasets and their snapshots: backed up as a set, restored as a set."""
