"""GitHub's workflow language, which Forgejo speaks too (docs.github.com, "Workflow syntax"): jobs of steps.

The clone is made by a few lines of our own. The one action that is used is the forge's own cache, which no
script can reach: GitHub gives the address and the token of its cache to actions alone.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from gitops.render.pipeline import CACHE, SCRIPT, Cache, Event, Job, Pipeline, Right, Secret
from gitops.render.templates import Layout

ACTION = "actions/cache@668228422ae6a00e4ad889ee87cd7109ec5666a7"
"""Named by its commit, which is its v5.0.4: a tag can be moved to other code."""

_CONDITIONS = {
    Event.MAIN: "github.event_name == 'push'",
    Event.PULL_REQUEST: "github.event_name == 'pull_request'",
    Event.NIGHT: "github.event_name == 'schedule' || github.event_name == 'workflow_dispatch'",
}
_RIGHTS = {
    Right.PROPOSE: {"contents": "write", "pull-requests": "write", "checks": "read", "statuses": "read"},
}

# On a runner that keeps its directories, what is left of an earlier run goes, but for the cache.
_FETCH = """\
export GIT_TERMINAL_PROMPT=0 GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=http.extraHeader
GIT_CONFIG_VALUE_0="Authorization: Basic $(printf 'x-access-token:%s' "$TOKEN" | base64 --wrap=0)"
export GIT_CONFIG_VALUE_0
git init --quiet .
git config remote.origin.url "$GITHUB_SERVER_URL/$GITHUB_REPOSITORY"
git config remote.origin.fetch '+refs/heads/*:refs/remotes/origin/*'
git fetch --quiet --depth=1 origin "$GITHUB_SHA"
git checkout --quiet --force -B work FETCH_HEAD
git clean --quiet -ffd
"""
_COMPARE = f'sh {SCRIPT} compare "$GITHUB_BASE_REF" "" "$BEFORE"\n'
_LOCKS = 'echo "locks=$(git rev-parse --quiet --verify HEAD:locks || echo none)" >>"$GITHUB_OUTPUT"\n'
_OURS = "github.event.pull_request.head.repo.full_name == github.repository"
_SUMMARY = 'cat {result} >>"$GITHUB_STEP_SUMMARY"'


@dataclass(frozen=True)
class Dialect:
    """What is not the same on both.

    Args:
        template: the name of the layout.
        file: where the forge looks.
        runner: the label of a runner where the variable GITOPS_RUNNER names none.
        environment: where the secrets of the job that pushes can be kept from other branches; or nothing.
        summaries: whether a job can leave a page for reviewers; otherwise it comments.
    """

    template: str
    file: str
    runner: str
    environment: str
    summaries: bool


@dataclass(frozen=True)
class _Step:
    """A step as the template lays it out; every text is YAML already, but for the script."""

    name: str
    script: str = ""
    env: tuple[tuple[str, str], ...] = ()
    id: str = ""
    uses: str = ""
    inputs: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class _Job:
    name: str
    condition: str
    needs: str
    runner: str
    minutes: int
    group: str
    environment: str
    rights: tuple[tuple[str, str], ...]
    steps: tuple[_Step, ...]


def render(pipeline: Pipeline, layout: Layout, dialect: Dialect) -> dict[str, str]:
    """Give the one file of a workflow."""
    text = layout(
        dialect.template,
        branch=pipeline.branch,
        jobs=[_job(job, dialect, pushes=pipeline.pushes) for job in pipeline.jobs],
        cache=CACHE,
        images=Cache.IMAGES.value,
        forge=_forge,
    )
    return {dialect.file: text}


def _forge(expression: str) -> str:
    """Give what the forge fills in."""
    return f"${{{{ {expression} }}}}"


def _job(job: Job, dialect: Dialect, *, pushes: bool) -> _Job:
    rights = {"contents": "read"}
    for right in job.rights:
        rights |= _RIGHTS[right]
    return _Job(
        name=job.name,
        condition=" || ".join(_CONDITIONS[event] for event in Event if event in job.events),
        needs=f"[{', '.join(job.needs)}]" if job.needs else "",
        runner=_forge(f"vars.GITOPS_RUNNER || '{dialect.runner}'"),
        minutes=job.minutes,
        group=f"gitops-{job.name}" if job.alone else "",
        environment=dialect.environment if Secret.SIGNING_KEY in job.secrets else "",
        rights=tuple(rights.items()),
        steps=tuple(_steps(job, dialect, pushes=pushes)),
    )


def _steps(job: Job, dialect: Dialect, *, pushes: bool) -> Iterable[_Step]:
    fetch = _FETCH + (_COMPARE if job.compares else "") + (_LOCKS if job.caches else "")
    env = {"TOKEN": _forge("github.token")}
    if job.compares:
        env["BEFORE"] = _forge("github.event.before")
    yield _Step(
        "Fetch this commit, with no action of anybody's",
        fetch,
        tuple(env.items()),
        id="commit" if job.caches else "",
    )
    yield _Step("Have gitops, from GITOPS_PACKAGE where the runner has none", job.install)
    for cache in job.caches:
        yield _cached(cache, job, pushes=pushes)
    comments = _comments() if job.comments and not dialect.summaries else ()
    yield _Step(job.title, job.command, (*_env(job), *comments))
    if job.result and dialect.summaries:
        yield _Step("Show it on the page of this run", _SUMMARY.format(result=job.result))


def _cached(cache: Cache, job: Job, *, pushes: bool) -> _Step:
    """Give the step that takes something from the forge's cache and, where the job keeps, puts it back.

    An entry never changes, so each job that keeps has one of its own, and the newest that fits is taken.
    What is pushed was built by the same run: not every forge keeps a pull request from writing what the main
    branch reads. Only where nothing is pushed does the main branch, as a pull request does, take what an
    earlier run of its own has built.
    """
    if cache is Cache.PACKAGES:
        name, key = "Keep packages", "gitops-packages-"
        own = f"{key}{_forge('steps.commit.outputs.locks')}-{job.name}"
        others = [f"{key}{_forge('steps.commit.outputs.locks')}-", key]
    else:
        own_run = "github.event_name == 'pull_request' && github.ref || github.run_id"
        scope = own_run if pushes else "github.ref"
        name, key = "Keep built images", f"gitops-images-{_forge(scope)}-"
        run = f"{key}{_forge('github.run_id')}-"
        own = f"{run}{_forge('github.run_attempt')}-{job.name}"
        others = [run, key]
    inputs = (
        ("path", cache.value),
        ("key", own),
        ("restore-keys", "|\n" + "".join(f"            {other}\n" for other in others).rstrip("\n")),
    )
    action = ACTION if job.keeps else ACTION.replace("@", "/restore@")
    return _Step(name if job.keeps else name.replace("Keep", "Take"), uses=action, inputs=inputs)


def _comments() -> Iterable[tuple[str, str]]:
    """Give what a comment takes: the run's own token, which could not write one for a fork anyway."""
    yield "GITOPS_NOTE_TOKEN", _forge(f"{_OURS} && github.token || ''")
    yield "GITOPS_PULL_REQUEST", _forge("github.event.pull_request.number")


def _env(job: Job) -> Iterable[tuple[str, str]]:
    """Give a job's secrets, none of which is there in a pull request."""
    for secret in job.secrets:
        value = f"secrets.{secret.value}"
        if secret is Secret.FORGE_TOKEN:
            value += " || github.token"
        if Event.PULL_REQUEST in job.events:
            value = f"github.event_name == 'push' && {value} || ''"
        yield secret.value, _forge(value)
