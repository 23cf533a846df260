"""A fleet's graph laid out as an SVG: a column for each layer of images, then apps, then hosts.

Images are a forest, so each leaf has a row of its own and nothing crosses; apps and hosts stand as near to
what they are joined with as there is room. 300 images make a picture that is long, and is read by scrolling.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gitops.render.graph import Graph
from gitops.render.templates import template

_TEMPLATE = "graph.svg.j2"
_ROW, _HEIGHT = 26, 20  # pixels: from one box to the next, and of a box
_LETTER = 7.4  # pixels of a letter of the font, at most
_INSIDE, _GAP, _MARGIN = 8, 48, 16  # pixels: beside a text, between columns, around everything


@dataclass(frozen=True)
class Box:
    """A node: `kind` is image, app or host; `about` is what a pointer on it, or a screen reader, tells."""

    kind: str
    label: str
    about: str
    x: float
    y: float
    width: float


@dataclass(frozen=True)
class Line:
    """An edge, from the right side of a box to the left one of another."""

    kind: str
    x1: float
    y1: float
    x2: float
    y2: float

    @property
    def middle(self) -> float:
        """Where it bends."""
        return (self.x1 + self.x2) / 2


_Key = tuple[str, str]  # kind and name


def as_svg(root: Path, found: Graph, name: str) -> str:
    """Draw a graph.

    Args:
        root: the fleet, whose `templates/graph.svg.j2` goes before the one that ships.
        found: the graph.
        name: the fleet's.
    """
    rows = _rows(found)
    columns = _columns(found)
    boxes: dict[_Key, Box] = {}
    x = float(_MARGIN)
    for column in columns:
        width = max(len(key[1]) for key in column) * _LETTER + 2 * _INSIDE
        for key in column:
            y = _MARGIN + rows[key] * _ROW
            boxes[key] = Box(key[0], key[1], _about(found, key), x, y, width)
        x += width + _GAP
    lines = [
        _line("parent", boxes["image", parent], boxes["image", child])
        for child, parent in found.images
        if parent
    ]
    for app in found.apps:
        lines += [_line("runs", boxes["image", image], boxes["app", app.name]) for image in app.images]
        lines += [_line("placed", boxes["app", app.name], boxes["host", host]) for host, _ in app.hosts]
    return template(root, _TEMPLATE).render(
        name=name,
        width=round(x - _GAP + _MARGIN),
        height=round(max(rows.values(), default=0) * _ROW + _HEIGHT + 2 * _MARGIN),
        box_height=_HEIGHT,
        inside=_INSIDE,
        boxes=list(boxes.values()),
        lines=lines,
    )


def _columns(found: Graph) -> list[list[_Key]]:
    """Give what stands in each column, from the left; no empty ones."""
    depths: dict[str, int] = {"": -1}
    layers: list[list[_Key]] = []
    for name, parent in found.images:
        depths[name] = depths[parent] + 1
        layers += [[]] * (depths[name] >= len(layers))
        layers[depths[name]] = [*layers[depths[name]], ("image", name)]
    apps: list[_Key] = [("app", app.name) for app in found.apps]
    return [column for column in (*layers, apps, _hosts(found)) if column]


def _hosts(found: Graph) -> list[_Key]:
    return [("host", host) for host in sorted({host for app in found.apps for host, _ in app.hosts})]


def _rows(found: Graph) -> Mapping[_Key, float]:
    """Give each box a row, from 0."""
    rows: dict[_Key, float] = {}

    def place(image: str, row: float) -> float:
        """Place an image and those on it from a row on; give the next free row."""
        rows["image", image] = row
        after = row
        for child in found.children(image):
            after = place(child, after)
        return max(after, row + 1)

    free = 0.0
    for base in found.children(""):
        free = place(base, free)
    wanted = {("app", app.name): _mean([rows["image", image] for image in app.images]) for app in found.apps}
    rows |= _spread(wanted)
    near = {
        key: _mean([rows["app", app.name] for app in found.apps if key[1] in dict(app.hosts)])
        for key in _hosts(found)
    }
    return rows | _spread(near)


def _spread(wanted: Mapping[_Key, float]) -> dict[_Key, float]:
    """Give each the row that it wants, or the next one that is free."""
    rows: dict[_Key, float] = {}
    free = 0.0
    for key, row in sorted(wanted.items(), key=lambda one: (one[1], one[0])):
        rows[key] = max(row, free)
        free = rows[key] + 1
    return rows


def _mean(numbers: Sequence[float]) -> float:
    return sum(numbers) / len(numbers) if numbers else 0


def _line(kind: str, start: Box, end: Box) -> Line:
    half = _HEIGHT / 2
    return Line(kind, start.x + start.width, start.y + half, end.x, end.y + half)


def _about(found: Graph, key: _Key) -> str:
    kind, name = key
    if kind == "image":
        below = next(parent for image, parent in found.images if image == name)
        users = found.users(name)
        return f"image {name}, from {below or 'scratch'}" + (f"; runs in {', '.join(users)}" if users else "")
    if kind == "host":
        there = [
            instance
            for app in found.apps
            for host, instances in app.hosts
            if host == name
            for instance in instances
        ]
        return f"host {name}: {', '.join(sorted(there))}"
    app = next(app for app in found.apps if app.name == name)
    where = "; ".join(f"{host}: {', '.join(instances)}" for host, instances in app.hosts)
    return f"app {name}; {where or 'on no host'}"
