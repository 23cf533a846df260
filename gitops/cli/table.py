"""Tables for people: columns as wide as what stands in them."""

from collections.abc import Sequence


def columns(cells: Sequence[Sequence[str]]) -> list[str]:
    """Lay rows out as lines, each column as wide as its widest cell, two spaces between them."""
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in cells
    ]
