"""Tables for people: on a terminal as wide as it is, in a file or a pipe a line a row.

Where a terminal is too narrow for a table, each row becomes a block of lines. Colour only marks what the
words say already, and only on a terminal (NO_COLOR, no-color.org, is rich's to heed).
"""

import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from gitops.system.terminal import harmless, unguarded

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.text import Text

_GAP = 2
_WRAPPED = 24  # columns; a last column that is wrapped to fewer is no pleasure to read

_STYLES = {
    "green": ("healthy", "ok", "done", "succeeded", "running", "complete", "proved", "well"),
    "yellow": ("starting", "skipped", "waits", "late", "recreate", "restart", "update", "paused", "never"),
    "bold red": (
        *("unhealthy", "failed", "missing", "missed", "timeout", "killed", "dead", "exited", "orphan"),
        *("rolled", "refused", "restarting", "remove", "silent", "lost", "error", "critical"),
    ),
    "cyan": ("create", "start", "build"),
    "dim": ("-",),
}
_STYLE = {word: style for style, words in _STYLES.items() for word in words}


def columns(cells: Sequence[Sequence[str]]) -> list[str]:
    """Lay rows out as lines, each column as wide as its widest cell, two spaces between them."""
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in cells
    ]


def show(head: Sequence[str], rows: Iterable[Sequence[str]], lines: Sequence[str] | None = None) -> None:
    """Print a table.

    Args:
        head: the columns' names.
        rows: as many cells each; only the last one may be long.
        lines: what goes into a file or pipe, where that is not the columns.
    """
    cells = [[" ".join(cell.split()) for cell in row] for row in rows]
    if not sys.stdout.isatty():
        print("\n".join(columns([head, *cells]) if lines is None else lines))
        return
    screen = console()
    screen.print(laid_out(head, cells, screen.width), soft_wrap=False)


def heading(words: str) -> None:
    """Print a line that stands above a table."""
    if sys.stdout.isatty():
        console().print(text(words, "bold"))
    else:
        print(words)


def console() -> "Console":
    """Give the terminal, for what is printed with rich; untrusted text goes there as `text` alone."""
    from rich.console import Console

    return Console(file=unguarded(sys.stdout), highlight=False, markup=False, emoji=False)


def text(words: str, style: str | None = None) -> "Text":
    """Give words for rich: harmless, and coloured as what they begin with says."""
    from rich.text import Text

    first = words.partition(" ")[0].rstrip(",:;").lower()
    return Text(harmless(words), style=_STYLE.get(first, "") if style is None else style)


def laid_out(head: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> "RenderableType":
    """Lay a table out for so many columns of a terminal."""
    from rich.cells import cell_len

    widths = [max(map(cell_len, column)) for column in zip(head, *rows, strict=True)]
    before = sum(widths[:-1]) + _GAP * (len(widths) - 1)
    return _table(head, rows) if before + min(widths[-1], _WRAPPED) <= width else _blocks(head, rows)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> "RenderableType":
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), header_style="bold")
    for name in head[:-1]:
        table.add_column(name, no_wrap=True)
    table.add_column(head[-1], overflow="fold")
    for row in rows:
        table.add_row(*map(text, row))
    return table


def _blocks(head: Sequence[str], rows: Sequence[Sequence[str]]) -> "RenderableType":
    from rich.console import Group
    from rich.table import Table

    found: list[RenderableType] = []
    for row in rows:
        block = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), show_header=False)
        block.add_column(style="dim", no_wrap=True)
        block.add_column(overflow="fold")
        if row[0]:  # nothing: it is that of the row before
            block.add_row(head[0], text(row[0], "bold"))
        for name, cell in zip(head[1:], row[1:], strict=True):
            if cell not in {"", "-"}:
                block.add_row(f"  {name}", text(cell))
        found.append(block)
    return Group(*found)
