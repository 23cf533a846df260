"""Tables for people: on a terminal as wide as it is, in a file or a pipe a line a row.

Where a terminal is too narrow for a table, columns that can be spared go first; where that is not enough, a
row becomes a block of lines. Colour only marks what the words say already, and only on a terminal (NO_COLOR,
no-color.org, is rich's to heed).
"""

import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitops.system.clock import localised
from gitops.system.terminal import harmless, unguarded

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.text import Text

_GAP = 2
_WRAPPED = 24  # columns; a last column that is wrapped to fewer is no pleasure to read

_STYLES = {
    "green": ("healthy", "ok", "done", "succeeded", "running", "complete", "proved", "well"),
    "yellow": ("starting", "skipped", "waits", "late", "recreate", "restart", "update", "paused", "warning"),
    "bold red": (
        *("unhealthy", "failed", "missing", "missed", "timeout", "killed", "dead", "orphan", "problem"),
        *("rolled", "refused", "restarting", "remove", "silent", "lost", "error", "critical"),
    ),
    "cyan": ("create", "start", "build"),
    "dim": ("-",),
}
_STYLE = {word: style for style, words in _STYLES.items() for word in words}


@dataclass(frozen=True)
class Table:
    """A table.

    Args:
        head: the columns' names.
        rows: as many cells each; only the last one may be long.
        title: a line above it.
        spare: columns that a narrow terminal need not have, the first to go first.
        note: a line below it.
        style: of the first column; otherwise, as everywhere, what its words say.
    """

    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    title: str = ""
    spare: Sequence[str] = ()
    note: str = ""
    style: str | None = None


def columns(cells: Sequence[Sequence[str]]) -> list[str]:
    """Lay rows out as lines, each column as wide as its widest cell, two spaces between them."""
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in cells
    ]


def show(
    head: Sequence[str],
    rows: Iterable[Sequence[str]],
    lines: Sequence[str] | None = None,
    *,
    title: str = "",
    spare: Sequence[str] = (),
) -> None:
    """Print a table.

    Args:
        head: as of a Table.
        rows: as of a Table.
        lines: what goes into a file or pipe, where that is not the columns.
        title: as of a Table.
        spare: as of a Table.
    """
    if lines is not None and not sys.stdout.isatty():
        print("\n".join(lines))
    else:
        cells = [[localised(" ".join(cell.split())) for cell in row] for row in rows]
        show_all([Table(head, cells, title, spare)])


def show_all(tables: Sequence[Table]) -> None:
    """Print tables, one below the other, an empty line between them."""
    if sys.stdout.isatty():
        screen = console()
        screen.print(laid_out(tables, screen.width))
    else:
        print("\n\n".join("\n".join(_plain(table)) for table in tables))


def heading(words: str) -> None:
    """Print a line that stands above others."""
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


def laid_out(tables: Sequence[Table], width: int) -> "RenderableType":
    """Lay tables out for so many columns of a terminal."""
    from rich.console import Group

    found: list[RenderableType] = []
    for number, table in enumerate(tables):
        found += [""] if number else []
        found += [text(table.title, "bold")] if table.title else []
        found += _laid_out(table, width)
        found += [text(table.note, "dim")] if table.note else []
    return Group(*found)


def _plain(table: Table) -> Iterator[str]:
    yield from [table.title] if table.title else []
    yield from columns([table.head, *table.rows]) if table.rows else ()
    yield from [table.note] if table.note else []


def _laid_out(table: Table, width: int) -> "Iterator[RenderableType]":
    if not table.rows:
        return
    from rich.cells import cell_len

    widths = [max(map(cell_len, column)) for column in zip(table.head, *table.rows, strict=True)]
    kept = [index for index in range(len(widths)) if any(row[index] for row in table.rows)]
    for name in ("", *table.spare):
        kept = [index for index in kept if table.head[index] != name]
        before = sum(widths[index] + _GAP for index in kept[:-1])
        if before + min(widths[kept[-1]], _WRAPPED) <= width:
            yield _grid(table, kept)
            return
    yield from _blocks(table.head, table.rows)


def _grid(table: Table, kept: Sequence[int]) -> "RenderableType":
    from rich.table import Table as Grid

    grid = Grid(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), header_style="bold")
    for index in kept[:-1]:
        grid.add_column(table.head[index], no_wrap=True)
    grid.add_column(table.head[kept[-1]], overflow="fold")
    for row in table.rows:
        grid.add_row(*(text(row[index], table.style if index == 0 else None) for index in kept))
    return grid


def _blocks(head: Sequence[str], rows: Sequence[Sequence[str]]) -> "Iterator[RenderableType]":
    from rich.table import Table as Grid

    for row in rows:
        block = Grid(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), show_header=False)
        block.add_column(style="dim", no_wrap=True)
        block.add_column(overflow="fold")
        if row[0]:  # nothing: it is that of the row before
            block.add_row(head[0], text(row[0], "bold"))
        for name, cell in zip(head[1:], row[1:], strict=True):
            if cell not in {"", "-"}:
                block.add_row(f"  {name}", text(cell))
        yield block
