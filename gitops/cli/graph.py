"""`gitops graph`: draw images, apps, and where they run."""

from enum import StrEnum
from typing import Annotated

import typer

from gitops.cli.options import FleetOption, JsonOption


class Format(StrEnum):
    """How the graph is written."""

    TEXT = "text"
    DOT = "dot"
    SVG = "svg"


def graph(
    form: Annotated[
        Format, typer.Option("--format", help="`dot` is for Graphviz; `svg` is a picture, made without it.")
    ] = Format.TEXT,
    json: JsonOption = False,
    fleet: FleetOption = None,
) -> None:
    """Draw which images stand on which, which apps run them, and which hosts have instances of these."""
    from gitops.cli.options import fleet_root
    from gitops.fleet.load import load
    from gitops.render.graph import as_dot, as_text
    from gitops.render.graph import graph as of

    root = fleet_root(fleet)
    loaded = load(root)
    found = of(loaded)
    if json:
        from gitops.cli.document import emit

        emit(
            images=[{"image": name, "parent": parent or None} for name, parent in found.images],
            apps=[{"app": app.name, "images": app.images, "hosts": dict(app.hosts)} for app in found.apps],
        )
    elif form is Format.SVG:
        from gitops.render.drawing import as_svg

        print(as_svg(root, found, loaded.settings.name), end="")
    else:
        print(as_dot(found) if form is Format.DOT else as_text(found), end="")
