"""Woodpecker (woodpecker-ci.org, "Workflow syntax"): a file for each event, whose steps follow one another.

A step that names a secret fails where the event may not have it, so what runs for pull requests is a file of
its own that names none. Woodpecker has no cache: its steps reach the agent's engine, which keeps built
images, and a volume keeps packages.
"""

from dataclasses import dataclass

from gitops.render.pipeline import SCRIPT, Event, Job, Pipeline
from gitops.render.templates import Layout

_NAMES = {Event.PULL_REQUEST: "pull-request", Event.MAIN: "main", Event.NIGHT: "update"}
_PATHS = {event: f".woodpecker/gitops-{name}.yml" for event, name in _NAMES.items()}
FILES = tuple(sorted(_PATHS.values()))

# Only the clone step can fetch from a private repository; there, nothing is compared.
_COMPARE = f'sh {SCRIPT} compare "$CI_COMMIT_TARGET_BRANCH" "" "$CI_PREV_COMMIT_SHA"'


@dataclass(frozen=True)
class _Step:
    name: str
    environment: tuple[tuple[str, str], ...]
    commands: tuple[str, ...]


def render(pipeline: Pipeline, layout: Layout) -> dict[str, str]:
    """Give the three files."""
    return {
        path: layout(
            "woodpecker.yml.j2",
            event=_NAMES[event],
            branch=pipeline.branch,
            steps=[_step(job, event) for job in pipeline.jobs if event in job.events],
            alone=event is not Event.PULL_REQUEST,
        )
        for event, path in _PATHS.items()
    }


def _step(job: Job, event: Event) -> _Step:
    wanted = () if event is Event.PULL_REQUEST else job.secrets
    return _Step(
        name=job.name,
        environment=tuple((secret.value, secret.value.lower()) for secret in wanted),
        commands=(job.install, *((_COMPARE,) if job.compares else ()), job.command),
    )
