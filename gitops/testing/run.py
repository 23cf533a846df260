"""Running the tests of images, several at a time, and of apps, one after the other."""

from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Event, Lock
from typing import cast

from gitops.deploy.swept import adopt, sweep
from gitops.engine.docker import Docker
from gitops.fleet.fleet import Fleet
from gitops.fleet.settings import Architecture
from gitops.images.machine import native
from gitops.system.errors import Problem, UserError
from gitops.system.places import Places
from gitops.system.progress import Progress, silent
from gitops.testing.apps import trial, try_app
from gitops.testing.images import HOST, try_image
from gitops.testing.outcome import Outcome


@dataclass(frozen=True)
class Chosen:
    """Images and apps that are to be tested; those that have no test are left out."""

    images: tuple[str, ...]
    apps: tuple[str, ...]

    def only(self, images: Collection[str], apps: Collection[str]) -> "Chosen":
        """Give those of them that are among some."""
        return Chosen(
            tuple(name for name in self.images if name in images),
            tuple(name for name in self.apps if name in apps),
        )

    def has(self, name: str) -> bool:
        """Tell whether an image or app of this name is among them."""
        return name in self.images or name in self.apps


def run_tests(
    fleet: Fleet,
    chosen: Chosen,
    references: Mapping[tuple[str, str], str],
    engine: Docker,
    places: Places,
    *,
    tell: Callable[[Outcome], object],
    progress: Progress = silent,
    jobs: int = 2,
) -> list[Outcome]:
    """Run tests, and remove all that was made for them.

    Args:
        fleet: the definitions.
        chosen: whose tests.
        references: what each (image, architecture) is called on the engine.
        engine: where they run.
        places: where it is noted what must be removed.
        tell: is given each outcome as it comes, one at a time.
        progress: is told of what is being tried, and with nothing when an image or app is done.
        jobs: how many images are tested at the same time.

    Raises:
        UserError: images are missing, or the engine refuses.
    """
    architecture = cast("Architecture", native())
    adopt(fleet.settings.name, HOST, places)
    sweep(engine, places)
    _require(fleet, chosen, references, architecture, engine)
    outcomes: list[Outcome] = []
    lock, stop = Lock(), Event()

    def add(outcome: Outcome) -> None:
        with lock:
            outcomes.append(outcome)
            tell(outcome)

    def one(image: str) -> None:
        reference = references[image, architecture]
        try:
            try_image(fleet, image, reference, engine, places, tell=add, progress=progress, stop=stop)
        finally:
            progress(image, "")

    with ThreadPoolExecutor(max_workers=jobs) as pool:
        try:
            list(pool.map(one, chosen.images))
        except BaseException:
            stop.set()
            pool.shutdown(cancel_futures=True)
            raise
    for app in chosen.apps:
        try_app(fleet, app, references, architecture, engine, places, tell=add, progress=progress)
        progress(app, "")
    return outcomes


def needed(fleet: Fleet, chosen: Chosen, architecture: Architecture) -> list[str]:
    """Give the images that tests run: those that are tested, and those of the apps that are."""
    found = dict.fromkeys(chosen.images)
    for app in chosen.apps:
        services = trial(fleet, app, architecture).instance(HOST, app).definition.services
        found.update({service.image: None for service in services.values()})
    return list(found)


def _require(
    fleet: Fleet,
    chosen: Chosen,
    references: Mapping[tuple[str, str], str],
    architecture: Architecture,
    engine: Docker,
) -> None:
    """Raise when an image that is needed is not there."""
    wanted = needed(fleet, chosen, architecture)
    foreign = [image for image in wanted if (image, architecture) not in references]
    if foreign:
        raise UserError(f"{foreign[0]} is not made for {architecture}, which this machine is")
    there = engine.images([references[image, architecture] for image in wanted])
    missing = [image for image in wanted if references[image, architecture] not in there]
    if missing:
        raise UserError.of(
            [
                Problem(f"images/{image}.yaml", message="is not built here yet", hint=f"gitops build {image}")
                for image in missing
            ]
        )


def choose(fleet: Fleet, names: Sequence[str] | None, within: frozenset[str] | None) -> Chosen:
    """Choose what is tested; pure.

    Args:
        fleet: the definitions.
        names: images and apps; one that is the name of both means both. None: all.
        within: only these images, and no app; None: any, and apps.

    Raises:
        UserError: a name is neither an image's nor an app's.
    """
    for name in names or ():
        if name not in fleet.images and name not in fleet.apps:
            raise UserError(
                f"there is no image or app {name}",
                hint=f"images: {', '.join(fleet.images)}; apps: {', '.join(fleet.apps)}",
            )
    images = [
        name
        for name in fleet.parents_first()
        if fleet.images[name].test and (not names or name in names) and (within is None or name in within)
    ]
    apps = [
        name
        for name in sorted(fleet.apps)
        if within is None and "test" in fleet.apps[name].document and (not names or name in names)
    ]
    return Chosen(tuple(images), tuple(apps))
