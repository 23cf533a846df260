"""What a fleet's pipeline does, whichever CI system runs it: a small graph of jobs. Pure.

Its size follows from how high the fleet's images stand on each other, not from how many there are: a job
builds a whole layer. No word of a definition is in it but the branch's name, so none can be taken for code.
"""

from dataclasses import dataclass
from enum import Enum

from gitops.fleet.fleet import Fleet, layers

MOST_LAYERS = 6
"""How many layers have a job of their own; what stands higher is built by the last one."""


SCRIPT = "rendered/pipeline.sh"
"""What the steps run, below the fleet: the same file for every CI system."""

CACHE = ".gitops-cache"
"""Where, in the clone, gitops keeps packages; most CI systems carry only what is below the clone."""

PLAN = "gitops-plan.md"
"""Where the plan for a pull request's reviewers is left."""

PAGE = "gitops-plan.html"
"""The same in HTML."""


class Event(Enum):
    """Why a pipeline runs."""

    MAIN = "a commit on the main branch"
    PULL_REQUEST = "a pull request, perhaps a stranger's"
    NIGHT = "once a day, or when a person says so"


class Right(Enum):
    """What a job may do with the repository and its forge, besides reading it."""

    PROPOSE = "push branches, open pull requests, and read what has checked them"


class Cache(Enum):
    """What is carried from job to job and from run to run where the CI system can; losing it costs time."""

    PACKAGES = f"{CACHE}/store"
    IMAGES = f"{CACHE}/images"


class Secret(Enum):
    """What a job is given besides the repository, as a variable of this name; never in a pull request."""

    REGISTRY_USER = "GITOPS_REGISTRY_USER"
    REGISTRY_PASSWORD = "GITOPS_REGISTRY_PASSWORD"  # noqa: S105  # a variable's name
    SIGNING_KEY = "GITOPS_SIGNING_KEY"
    FORGE_TOKEN = "GITOPS_FORGE_TOKEN"  # noqa: S105  # a variable's name


@dataclass(frozen=True)
class Job:
    """What runs on one machine, from a fresh clone.

    Args:
        name: a word.
        title: what it does, for people.
        words: the step of `SCRIPT` that it runs, with its argument.
        events: when it runs at all.
        minutes: how long it may take.
        needs: jobs that must have succeeded before, where the event runs them.
        rights: what it may do besides reading the repository.
        secrets: what it is given on the main branch and at night.
        caches: what it takes from the caches.
        keeps: whether it puts back there what it has added.
        compares: whether it needs what a pull request is compared with.
        extra: gitops's own, for pip: libraries that this job alone needs.
        alone: two pipelines never run it at the same time.
        result: a Markdown file that it leaves for whoever reviews.
        page: the same in HTML.
        comments: whether it also comments on the pull request, where its CI system lets it do so.
    """

    name: str
    title: str
    words: tuple[str, ...]
    events: frozenset[Event]
    minutes: int
    needs: tuple[str, ...] = ()
    rights: frozenset[Right] = frozenset()
    secrets: tuple[Secret, ...] = ()
    caches: tuple[Cache, ...] = ()
    keeps: bool = False
    compares: bool = False
    extra: str = ""
    alone: bool = False
    result: str = ""
    page: str = ""
    comments: bool = False

    @property
    def command(self) -> str:
        """Give the command that does it."""
        return " ".join(("sh", SCRIPT, *self.words))

    @property
    def install(self) -> str:
        """Give the command before it, which has gitops ready where the runner has none."""
        return " ".join(filter(None, ("sh", SCRIPT, "install", self.extra)))


@dataclass(frozen=True)
class Pipeline:
    """All jobs, each after those that it needs.

    Args:
        jobs: the graph.
        branch: the one that hosts follow, from which alone anything is pushed.
    """

    jobs: tuple[Job, ...]
    branch: str

    @property
    def pushes(self) -> bool:
        """Tell whether there is a registry that anything goes to."""
        return any(Secret.SIGNING_KEY in job.secrets for job in self.jobs)


_REGISTRY = (Secret.REGISTRY_USER, Secret.REGISTRY_PASSWORD)
_COMMITS = frozenset({Event.MAIN, Event.PULL_REQUEST})


def pipeline(fleet: Fleet) -> Pipeline:
    """Say what a fleet's pipeline does."""
    height = len(layers(fleet))
    builds = [_build(number, height) for number in range(1, min(height, MOST_LAYERS) + 1)]
    jobs = [_CHECK, _plan(fleet), *builds, _test(builds[-1] if builds else _CHECK)]
    if fleet.settings.registry:
        jobs.append(_PUSH)
    return Pipeline((*jobs, _update(fleet)), fleet.settings.updates.base or "main")


_CHECK = Job("check", "Check definitions, locks and what is rendered", ("check",), _COMMITS, minutes=15)


def _plan(fleet: Fleet) -> Job:
    kind = fleet.settings.updates.forge.kind
    return Job(
        "plan",
        "Say what merging this would do",
        ("plan", PLAN),
        frozenset({Event.PULL_REQUEST}),
        minutes=15,
        needs=("check",),
        compares=True,
        extra=kind if kind == "gitlab" else "",
        result=PLAN,
        page=PAGE,
        comments=kind != "none",
    )


def _build(number: int, height: int) -> Job:
    """Give the job of a layer; the last one there may be builds what stands higher, too."""
    rest = number == MOST_LAYERS < height
    above = f"what stands on layer {number - 1}{', and all above' if rest else ''}"
    return Job(
        f"build-{number}",
        f"Build {'the bases' if number == 1 else above}",
        ("build",) if rest else ("build", str(number)),
        _COMMITS,
        minutes=120,
        needs=(f"build-{number - 1}" if number > 1 else "check",),
        secrets=_REGISTRY,
        caches=tuple(Cache),
        keeps=True,
        compares=True,
    )


def _test(last: Job) -> Job:
    return Job(
        "test",
        "Test what was built",
        ("test",),
        _COMMITS,
        minutes=60,
        needs=(last.name,),
        secrets=_REGISTRY,
        caches=tuple(Cache),
        compares=True,
    )


_PUSH = Job(
    "push",
    "Push what was built, each image with a signed statement",
    ("push",),
    frozenset({Event.MAIN}),
    minutes=60,
    needs=("test",),
    secrets=(*_REGISTRY, Secret.SIGNING_KEY),
    caches=tuple(Cache),
    alone=True,
)


def _update(fleet: Fleet) -> Job:
    kind = fleet.settings.updates.forge.kind
    return Job(
        "update",
        "Propose what is new",
        ("update",),
        frozenset({Event.NIGHT}),
        minutes=30,
        rights=frozenset({Right.PROPOSE}),
        secrets=(Secret.FORGE_TOKEN,),
        extra=kind if kind in {"github", "gitlab"} else "",
        alone=True,
    )
