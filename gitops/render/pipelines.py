"""The kinds of CI pipeline: each a template in pipelines/ and the path where its forge looks for it."""

from gitops.fleet.fleet import Fleet
from gitops.render.mark import MARK
from gitops.render.templates import template

PIPELINES = {
    "github": ("github.yml.j2", ".github/workflows/gitops.yml"),
}
"""Kind to template and path below the fleet."""


def pipelines(fleet: Fleet) -> dict[str, str]:
    """Render the pipelines that fleet.yaml asks for: path below the fleet to text."""
    files = {}
    for kind in fleet.settings.pipelines:
        name, path = PIPELINES[kind]
        files[path] = f"{MARK}\n{template(fleet.root, name).render()}"
    return files
