"""A fleet as a graph: everything is in it once, nothing lies on anything else, and names are only shown."""

import re
import shutil
import subprocess
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree as ET

import pytest

from gitops.fleet.load import load
from gitops.render.drawing import as_svg
from gitops.render.graph import AppNode, Graph, as_dot, as_text, graph
from tests.fleet.conftest import Write
from tests.fleet.conftest import fleet_with as fleet_with  # noqa: PLC0414  # a fixture is found where it is named

_SVG = "{http://www.w3.org/2000/svg}"
_LARGE = Graph(
    (
        ("base", ""),
        *((f"image-{n}", "base" if n < 20 else f"image-{n % 19 + 1}") for n in range(1, 300)),
    ),
    tuple(
        AppNode(f"app-{n}", (f"image-{n + 20}", f"image-{n % 30 + 1}"), ((f"host-{n % 9}", ("a", "b")),))
        for n in range(90)
    ),
)


def test_text_shows_trees_of_images_who_runs_them_and_where(fleet_with: Write) -> None:
    assert (
        as_text(graph(load(fleet_with({"images/a.yaml": "from: site\n"}))))
        == """\
base
├── site  (blog)
│   └── a
└── db  (blog)

blog: site, db
  one: alice, bob
"""
    )


def test_an_image_that_an_apps_parameter_names_is_among_those_it_runs(fleet_with: Write) -> None:
    root = fleet_with(
        {
            "apps/blog.yaml": {
                "  domain: {}": "  domain: {}\n  with: {default: db}",
                "image: db": "image: ${with}",
            },
            "apps/unused.yaml": "services: {web: {image: base}}\n",
        }
    )
    found = graph(load(root))
    assert found.apps == (
        AppNode("blog", ("db", "site"), (("one", ("alice", "bob")),)),
        AppNode("unused", ("base",), ()),
    )
    assert "unused: base\n  on no host\n" in as_text(found)


def test_dot_has_each_node_and_edge_once_and_quotes_what_it_shows() -> None:
    found = Graph((("base", ""), ('i"\\n', "base")), (AppNode('a"];x', ('i"\\n',), (("h\\", ("one",)),)),))
    text = as_dot(found)
    assert '  "image i\\"\\\\n" [label="i\\"\\\\n"];' in text.splitlines()
    assert '  "app a\\"];x" [label="a\\"];x\\nh\\\\: 1"];' in text.splitlines()
    assert len(re.findall(" -> ", text)) == 2
    strings = re.sub(r'"(?:[^"\\]|\\.)*"', "", text)
    assert '"' not in strings
    if dot := shutil.which("dot"):  # where Graphviz is, it must agree
        assert subprocess.run([dot, "-Tsvg"], input=text.encode(), capture_output=True, check=True).stdout


class Drawn(NamedTuple):
    """A box of an SVG, in pixels."""

    kind: str
    name: str
    x: float
    y: float
    width: float
    height: float


def _read(svg: str) -> tuple[ET.Element, list[Drawn]]:
    top = ET.fromstring(svg)  # noqa: S314  # our own
    boxes = []
    for group in top.iter(f"{_SVG}g"):
        rect = next(group.iter(f"{_SVG}rect"))
        x, y, width, height = (float(rect.get(key, "")) for key in ("x", "y", "width", "height"))
        name = group.findtext(f"{_SVG}text") or ""
        boxes.append(Drawn(group.get("class", ""), name, x, y, width, height))
    return top, boxes


@pytest.mark.parametrize("found", [_LARGE, Graph((), ()), Graph((("one", ""),), ())])
def test_an_svg_shows_everything_once_and_no_box_lies_on_another(found: Graph, tmp_path: Path) -> None:
    top, boxes = _read(as_svg(tmp_path, found, "demo"))
    hosts = {host for app in found.apps for host, _ in app.hosts}
    assert len({(one.kind, one.name) for one in boxes}) == len(boxes)
    assert len(boxes) == len(found.images) + len(found.apps) + len(hosts)
    columns: dict[float, list[Drawn]] = {}
    for one in boxes:
        assert one.x + one.width <= float(top.get("width", ""))
        assert one.y + one.height <= float(top.get("height", ""))
        assert one.width > 7 * len(one.name)
        columns.setdefault(one.x, []).append(one)
    for column in columns.values():
        column.sort(key=lambda one: one.y)
        assert all(above.y + above.height < below.y for above, below in pairwise(column))
    ordered = [columns[x] for x in sorted(columns)]
    assert all(max(one.x + one.width for one in left) < right[0].x for left, right in pairwise(ordered))


def test_what_a_definition_says_is_shown_in_an_svg_and_never_markup(tmp_path: Path) -> None:
    evil = '"><script>alert(1)</script>'
    found = Graph(((evil, ""),), (AppNode(f"{evil}&", (evil,), ((f"{evil}'", (evil,)),)),))
    top, boxes = _read(as_svg(tmp_path, found, evil))
    assert {element.tag.removeprefix(_SVG) for element in top.iter()} == {
        *("svg", "title", "style", "path", "g", "rect", "text"),
    }
    assert [one.name for one in boxes] == [evil, f"{evil}&", f"{evil}'"]
