"""Counting and naming things in a sentence."""

from collections.abc import Sequence


def count(number: int, noun: str) -> str:
    """Write a number and its noun: `1 image`, `2 images`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def named(names: Sequence[str], most: int) -> str:
    """Name the first so many, and count the rest: `alice, bob and 98 more`."""
    shown, rest = names[:most], len(names) - most
    return f"{', '.join(shown)} and {rest:,} more" if rest > 0 else ", ".join(shown)
