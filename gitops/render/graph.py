"""The fleet as a graph: images on images, apps on images, hosts with instances; as text and for Graphviz."""

from collections.abc import Iterator
from dataclasses import dataclass

from gitops.fleet.fleet import Fleet


@dataclass(frozen=True)
class AppNode:
    """An app: the images that its services run, and the instances that each host has of it."""

    name: str
    images: tuple[str, ...]
    hosts: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True)
class Graph:
    """Images with the one that each stands on (empty for a base), each behind that one, and apps by name."""

    images: tuple[tuple[str, str], ...]
    apps: tuple[AppNode, ...]

    def children(self, image: str) -> tuple[str, ...]:
        """Give the images that stand directly on one, or the bases for the empty name."""
        return tuple(name for name, parent in self.images if parent == image)

    def users(self, image: str) -> tuple[str, ...]:
        """Give the apps that run an image."""
        return tuple(app.name for app in self.apps if image in app.images)


def graph(fleet: Fleet) -> Graph:
    """Give the graph of a fleet."""
    images = []
    for name in fleet.parents_first():
        parent = fleet.images[name].parent
        images.append((name, "" if parent == "scratch" else parent))
    return Graph(tuple(images), tuple(_app(fleet, name) for name in sorted(fleet.apps)))


def _app(fleet: Fleet, app: str) -> AppNode:
    """Look at an app's instances, whose services may run images that parameters name, and at what it says."""
    placed = {
        host: tuple(sorted(name for name, one in definition.instances.items() if one.app == app))
        for host, definition in sorted(fleet.hosts.items())
    }
    services = fleet.apps[app].document.get("services", {}).values()
    used = {each.get("image") for each in services if isinstance(each, dict)}
    for host, names in placed.items():
        for name in names:
            used |= {service.image for service in fleet.instance(host, name).definition.services.values()}
    images = tuple(name for name in fleet.parents_first() if name in used)
    return AppNode(app, images, tuple((host, names) for host, names in placed.items() if names))


def as_text(found: Graph) -> str:
    """Draw a graph as trees of images, with the apps that run each, and the apps below it."""
    lines = [line for base in found.children("") for line in _tree(found, base, "", "")]
    for app in found.apps:
        lines += ["", f"{app.name}: {', '.join(app.images)}"]
        lines += [f"  {host}: {', '.join(names)}" for host, names in app.hosts] or ["  on no host"]
    return "".join(f"{line}\n" for line in lines)


def _tree(found: Graph, image: str, first: str, further: str) -> Iterator[str]:
    users = found.users(image)
    yield f"{first}{image}" + (f"  ({', '.join(users)})" if users else "")
    children = found.children(image)
    for child in children:
        last = child == children[-1]
        yield from _tree(
            found, child, further + ("└── " if last else "├── "), further + ("    " if last else "│   ")
        )


def as_dot(found: Graph) -> str:
    """Write a graph in Graphviz's language (graphviz.org/doc/info/lang.html)."""
    lines = [
        "digraph fleet {",
        "  rankdir=LR;",
        '  node [fontname="sans-serif", fontsize=11, height=0.3];',
        "  node [shape=box];",
    ]
    lines += [f"  {_quoted(f'image {name}')} [label={_quoted(name)}];" for name, _ in found.images]
    lines += ["  node [shape=box, style=rounded];"]
    for app in found.apps:
        label = "\\n".join([_escaped(app.name), *(_escaped(line) for line in placed(app))])
        lines.append(f'  {_quoted(f"app {app.name}")} [label="{label}"];')
    lines += [
        f"  {_quoted(f'image {parent}')} -> {_quoted(f'image {name}')};"
        for name, parent in found.images
        if parent
    ]
    lines += [
        f"  {_quoted(f'image {image}')} -> {_quoted(f'app {app.name}')} [style=dashed];"
        for app in found.apps
        for image in app.images
    ]
    return "\n".join([*lines, "}"]) + "\n"


def placed(app: AppNode) -> list[str]:
    """Say where an app has instances: a host and their number each."""
    return [f"{host}: {len(names)}" for host, names in app.hosts]


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _quoted(text: str) -> str:
    return f'"{_escaped(text)}"'
