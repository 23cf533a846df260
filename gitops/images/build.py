"""Building the images that do not exist yet: parents first, independent ones at the same time."""

import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

from gitops.engine import buildkit
from gitops.engine.docker import Docker
from gitops.fleet.fleet import Fleet
from gitops.images.locks import Locks, missing_or_stale
from gitops.images.machine import require_machine
from gitops.images.pull import Supply
from gitops.images.workshop import Workshop
from gitops.system.errors import Problem, UserError
from gitops.system.places import Places
from gitops.system.processes import Processes
from gitops.system.progress import Progress


@dataclass(frozen=True)
class Built:
    """An image that the engine has now.

    Args:
        image: its name.
        architecture: in Debian's words.
        reference: its name in the engine.
        seconds: what building it took; None: it was not built.
        pulled: whether it came out of the registry; neither built nor pulled: it was there before.
    """

    image: str
    architecture: str
    reference: str
    seconds: float | None
    pulled: bool = False


def build(  # noqa: PLR0913  # every one is a thing of its own
    fleet: Fleet,
    locks: Locks,
    names: Iterable[str] | None,
    architecture: str,
    *,
    dockerfile: Callable[[str], str],
    references: Mapping[tuple[str, str], str],
    engine: Docker,
    places: Places,
    progress: Progress,
    jobs: int = 2,
    again: bool = False,
    supply: Supply | None = None,
) -> list[Built]:
    """Build images, and below them what they stand on.

    Args:
        fleet: the definitions.
        locks: their locks.
        names: the images; None for all that the architecture has.
        architecture: in Debian's words.
        dockerfile: gives an image's Dockerfile.
        references: (image, architecture) to its name in the engine.
        engine: where they are built.
        places: where .debs are kept, and room to work in.
        progress: is told of each image.
        jobs: how many to build at the same time.
        again: build what exists, too, without taking anything from BuildKit's cache.
        supply: where images may come from in place of being built; None: nowhere.

    Returns:
        Each image that was asked for or needed, parents first.

    Raises:
        UserError: builds failed, with the last lines of each; those that came to an end are kept.
    """
    problems = missing_or_stale(fleet, locks)
    if problems:
        raise UserError.of(problems)
    order = _order(fleet, names, architecture)
    existing = engine.images([references[image, architecture] for image in order])
    there = {image for image in order if references[image, architecture] in existing}
    pulled = set[str]()
    if supply:
        asked = set(order if names is None else names)
        built = asked if again else set[str]()
        pulled = supply.obtain(asked - (there - built), there | built, architecture)
        there |= pulled
    todo = _todo(fleet, order, names, there, again=again)
    seconds: dict[str, float] = {}
    if todo:
        require_machine(architecture)
        processes = Processes()
        workshop = Workshop(
            fleet,
            locks,
            architecture,
            dockerfile,
            references,
            engine,
            buildkit.find(),
            places,
            progress,
            processes,
            again=again,
        )
        seconds = _build_all(fleet, todo, workshop.build, processes, jobs)
    return [
        Built(image, architecture, references[image, architecture], seconds.get(image), image in pulled)
        for image in order
        if image in todo or image in there
    ]


def _order(fleet: Fleet, names: Iterable[str] | None, architecture: str) -> list[str]:
    """Give the images in question, parents first."""
    wanted = None if names is None else sorted(set(names))
    order = fleet.parents_first(wanted)
    lacking = [name for name in wanted or () if architecture not in fleet.architectures_of(name)]
    if lacking:
        raise UserError(
            f"is not made for {architecture}",
            file=f"images/{lacking[0]}.yaml",
            hint="its archives name the architectures, in fleet.yaml",
        )
    return [image for image in order if architecture in fleet.architectures_of(image)]


def _todo(
    fleet: Fleet, order: list[str], names: Iterable[str] | None, there: set[str], *, again: bool
) -> list[str]:
    """Give what must be built: what was asked for and is not there, and the parents that this needs."""
    asked = set(order if names is None else names)
    todo = {image for image in asked if again or image not in there}
    for image in reversed(order):
        parent = fleet.images[image].parent
        if image in todo and parent != "scratch" and parent not in there:
            todo.add(parent)
    return [image for image in order if image in todo]


def _build_all(
    fleet: Fleet, todo: list[str], one: Callable[[str], None], processes: Processes, jobs: int
) -> dict[str, float]:
    """Build images, each when its parent is there, and give the seconds each took."""
    begun: dict[Future[float], str] = {}
    seconds: dict[str, float] = {}
    problems: list[Problem] = []
    waiting = list(todo)

    def timed(image: str) -> float:
        start = time.monotonic()
        one(image)
        return time.monotonic() - start

    with ThreadPoolExecutor(max_workers=jobs) as pool:
        try:
            while True:
                blocked = {*waiting, *begun.values()}
                for image in [each for each in waiting if fleet.images[each].parent not in blocked - {each}]:
                    waiting.remove(image)
                    begun[pool.submit(timed, image)] = image
                if not begun:
                    break
                for future in wait(begun, return_when=FIRST_COMPLETED).done:
                    image = begun.pop(future)
                    try:
                        seconds[image] = future.result()
                    except UserError as error:
                        problems += [_about(image, problem) for problem in error.problems]
                        waiting = [each for each in waiting if image not in fleet.parents_first([each])]
        except BaseException:
            processes.stop()
            pool.shutdown(cancel_futures=True)
            raise
    if problems:
        raise UserError.of(problems)
    return seconds


def _about(image: str, problem: Problem) -> Problem:
    """Say which image a problem is about, unless it is about a file already."""
    return problem if problem.file else Problem(f"images/{image}.yaml", 0, 0, problem.message, problem.hint)
