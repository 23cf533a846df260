"""GitLab CI/CD (docs.gitlab.com, "CI/CD YAML syntax reference"): one file, jobs ordered by what they need.

GitLab shows a job's HTML to whoever reviews, and no Markdown (where GitLab Pages is switched on). A comment
takes a token, which the variable GITOPS_NOTE_TOKEN may hold.

Secrets are variables of the project. That merge requests do not get them is the project's setting
(`Protected`), not the file's; a fork's pipeline runs in the fork's project, which has none of them.
"""

from dataclasses import dataclass

from gitops.render.pipeline import CACHE, SCRIPT, Cache, Event, Job, Pipeline, Right
from gitops.render.templates import Layout

FILES = (".gitlab-ci.yml",)

_COMPARE = f'sh {SCRIPT} compare "" "$CI_MERGE_REQUEST_DIFF_BASE_SHA" "$CI_COMMIT_BEFORE_SHA"'
# GitLab keeps caches of protected branches apart: a merge request leaves nothing for the main branch.
_CACHES = {Cache.PACKAGES: "gitops-packages", Cache.IMAGES: "gitops-images-$CI_COMMIT_REF_SLUG"}


@dataclass(frozen=True)
class _Job:
    name: str
    stage: str
    rules: tuple[str, ...]
    needs: str
    minutes: int
    interruptible: bool
    group: str
    depth: int
    caches: tuple[tuple[str, str], ...]
    policy: str
    proposes: bool
    compares: bool
    install: str
    command: str
    page: str
    comments: bool


def render(pipeline: Pipeline, layout: Layout) -> dict[str, str]:
    """Give the one file."""
    conditions = {
        Event.MAIN: f'$CI_PIPELINE_SOURCE != "schedule" && $CI_COMMIT_BRANCH == "{pipeline.branch}"',
        Event.PULL_REQUEST: '$CI_PIPELINE_SOURCE == "merge_request_event"',
        Event.NIGHT: '$CI_PIPELINE_SOURCE == "schedule"',
    }
    text = layout(
        "gitlab-ci.yml.j2",
        stages=list(dict.fromkeys(_stage(job) for job in pipeline.jobs)),
        rules=list(conditions.values()),
        jobs=[_job(job, conditions) for job in pipeline.jobs],
        cache=CACHE,
        compare=_COMPARE,
        images=Cache.IMAGES.value,
    )
    return {FILES[0]: text}


def _job(job: Job, conditions: dict[Event, str]) -> _Job:
    return _Job(
        name=job.name,
        stage=_stage(job),
        rules=tuple(conditions[event] for event in Event if event in job.events),
        needs=f"[{', '.join(job.needs)}]",
        minutes=job.minutes,
        interruptible=Event.PULL_REQUEST in job.events,
        group=f"gitops-{job.name}" if job.alone else "",
        depth=0 if job.compares else 1,
        caches=tuple((_CACHES[cache], cache.value) for cache in job.caches),
        policy="pull-push" if job.keeps else "pull",
        proposes=Right.PROPOSE in job.rights,
        compares=job.compares,
        install=job.install,
        command=job.command,
        page=job.page,
        comments=job.comments,
    )


def _stage(job: Job) -> str:
    """Give a job's column on GitLab's page: layers share one, since they need each other in order."""
    return job.name.partition("-")[0]
