"""Sizes as people read them."""

_UNITS = ("B", "kB", "MB", "GB", "TB")


def readable(count: float) -> str:
    """Write a number of bytes with three digits: `12.3 MB`."""
    power = 0
    while count >= 999.5 and power < len(_UNITS) - 1:  # noqa: PLR2004  # what would show as 1000
        count, power = count / 1000, power + 1
    return f"{count:.3g} {_UNITS[power]}"
