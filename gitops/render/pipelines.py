"""The CI systems there are, and the files that a fleet has for those that it names."""

from gitops.fleet.fleet import Fleet
from gitops.render.ci import forgejo, gitea, github, gitlab, woodpecker
from gitops.render.ci.system import System
from gitops.render.mark import MARK
from gitops.render.pipeline import CACHE, PAGE, PLAN, SCRIPT, pipeline
from gitops.render.templates import layout

PIPELINES: dict[str, System] = {
    "github": github,
    "gitlab": gitlab,
    "forgejo": forgejo,
    "gitea": gitea,
    "woodpecker": woodpecker,
}
"""By the name that `pipelines` in fleet.yaml has."""

FILES = tuple(path for system in PIPELINES.values() for path in system.FILES)
"""Every file, below the fleet, that a pipeline may stand in."""


def pipelines(fleet: Fleet) -> dict[str, str]:
    """Render the pipelines that fleet.yaml asks for: path below the fleet to text."""
    if not fleet.settings.pipelines:
        return {}
    wanted, fill = pipeline(fleet), layout(fleet.root)
    files = {SCRIPT: fill("pipeline.sh.j2", cache=CACHE, plan=PLAN, page=PAGE, pushes=wanted.pushes)}
    for kind in fleet.settings.pipelines:
        files |= PIPELINES[kind].render(wanted, fill)
    return {path: f"{MARK}\n{text}" for path, text in files.items()}
