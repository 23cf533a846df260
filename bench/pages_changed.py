"""Writing the pages of a thousand instances of which one has changed."""

from bench.figure import Figure
from bench.pages import changed


def measure() -> Figure:
    return changed()
