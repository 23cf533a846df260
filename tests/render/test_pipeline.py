"""What a pipeline does follows from how high images stand on each other, and is the same for every system."""

from collections.abc import Callable

import pytest

from gitops.fleet.fleet import Fleet
from gitops.render.pipeline import MOST_LAYERS, Event, Job, Right, Secret, pipeline

Make = Callable[..., Fleet]
FLEET = (
    "name: shop\n"
    'archives: {trixie: {mirror: "https://deb.example.org/debian", suites: [trixie]}}\n'
    "registry: registry.example.org/shop\n"
)


def jobs(fleet: Fleet) -> dict[str, Job]:
    return {job.name: job for job in pipeline(fleet).jobs}


def chain(length: int) -> dict[str, str]:
    """Write images each of which stands on the one before."""
    return {f"images/i{n}.yaml": f"from: {f'i{n - 1}' if n else 'base'}\n" for n in range(length)}


def test_layers_are_built_one_after_the_other_then_tested_then_pushed(make_fleet: Make) -> None:
    found = jobs(make_fleet(**{"fleet.yaml": FLEET}))
    assert {name: job.needs for name, job in found.items()} == {
        "check": (),
        "plan": ("check",),
        "build-1": ("check",),
        "build-2": ("build-1",),
        "test": ("build-2",),
        "push": ("test",),
        "update": (),
    }


def test_a_pull_request_runs_everything_but_the_push_and_a_branch_everything_but_the_plan(
    make_fleet: Make,
) -> None:
    found = jobs(make_fleet(**{"fleet.yaml": FLEET}))
    on = {event: {name for name, job in found.items() if event in job.events} for event in Event}
    assert on[Event.PULL_REQUEST] == {"check", "plan", "build-1", "build-2", "test"}
    assert on[Event.MAIN] == {"check", "build-1", "build-2", "test", "push"}
    assert on[Event.NIGHT] == {"update"}


def test_only_the_push_signs_and_only_the_update_writes(make_fleet: Make) -> None:
    found = jobs(make_fleet(**{"fleet.yaml": FLEET}))
    assert [name for name, job in found.items() if Secret.SIGNING_KEY in job.secrets] == ["push"]
    assert [name for name, job in found.items() if Right.PROPOSE in job.rights] == ["update"]
    assert [name for name, job in found.items() if Secret.FORGE_TOKEN in job.secrets] == ["update"]


def test_without_a_registry_nothing_is_pushed(make_fleet: Make) -> None:
    assert "push" not in jobs(make_fleet())


def test_a_fleet_without_images_is_checked_and_updated(make_fleet: Make) -> None:
    gone = dict.fromkeys(("images/base.yaml", "images/web.yaml", "images/web/site", "apps/shop.yaml"))
    found = jobs(make_fleet(**{**gone, "hosts/web1.yaml": None}))
    assert {name: job.needs for name, job in found.items()} == {
        "check": (),
        "plan": ("check",),
        "test": ("check",),
        "update": (),
    }


@pytest.mark.parametrize("height", [MOST_LAYERS, MOST_LAYERS + 1, 40])
def test_however_high_images_stand_there_are_few_jobs_and_the_last_builds_what_is_left(
    make_fleet: Make, height: int
) -> None:
    found = jobs(make_fleet(**chain(height - 1)))
    builds = [job for name, job in found.items() if name.startswith("build")]
    assert len(builds) == MOST_LAYERS
    assert builds[-2].words == ("build", str(MOST_LAYERS - 1))
    assert builds[-1].words == (("build",) if height > MOST_LAYERS else ("build", str(MOST_LAYERS)))


def test_every_job_ends_and_comes_after_those_that_it_needs(make_fleet: Make) -> None:
    before: set[str] = set()
    for job in pipeline(make_fleet(**{"fleet.yaml": FLEET})).jobs:
        assert 0 < job.minutes <= 120
        assert set(job.needs) <= before
        before.add(job.name)


def test_the_branch_is_the_one_that_updates_go_to(make_fleet: Make) -> None:
    assert pipeline(make_fleet()).branch == "main"
    fleet = make_fleet(**{"fleet.yaml": f"{FLEET}updates: {{base: release/2026}}\n"})
    assert pipeline(fleet).branch == "release/2026"


def test_the_libraries_of_a_forge_are_there_for_what_speaks_to_it_alone(make_fleet: Make) -> None:
    found = jobs(make_fleet(**{"fleet.yaml": f"{FLEET}updates: {{forge: {{kind: gitlab}}}}\n"}))
    assert {name: job.extra for name, job in found.items() if job.extra} == {
        "plan": "gitlab",
        "update": "gitlab",
    }
