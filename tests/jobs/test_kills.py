"""A runner may be killed at any instant: nothing of its job is left then, and the history says so.

`RUNNER_KILLS` says how often that is tried.
"""

import os
import random
import time

from docker.api.client import APIClient

from gitops.jobs.left import end_left
from gitops.jobs.running import notes
from gitops.system.marked import marked
from tests.database_fixtures import until
from tests.jobs.conftest import INSTANCE, Service

_KILLS = int(os.environ.get("RUNNER_KILLS", "4"))


def test_nothing_is_left_of_a_job_whose_runner_was_killed_whenever_that_was(
    service: Service, api: APIClient
) -> None:
    chance = random.Random(6)  # noqa: S311  # the same instants each time, as far as the machine allows
    service.define(
        service.job("busybox setsid sleep 7795 & sleep 7795", name="in-service", grace=0.5),
        service.job("busybox setsid sleep 7795 & sleep 7795", name="in-own", mode="run", grace=0.5),
    )
    begun = 0
    for kill in range(_KILLS):
        name = ("in-service", "in-own")[kill % 2]
        with service.gitops("job", "run", INSTANCE, name) as runner:
            time.sleep(chance.uniform(0.02, 0.02 + 0.1 * (1 + kill % 8)))
            runner.kill()
        known = [note for note, _ in notes(service.places)]
        begun += len(known)
        end_left(service.places)
        assert notes(service.places) == []
        time.sleep(0.3 if kill % 3 else 1)  # what the engine had been told may take a moment to happen
        until(lambda: not service.processes("sleep 7795"))
        assert not any(marked(note.mark) for note in known)
        assert api.containers(all=True, filters={"name": f"{service.fleet}.{INSTANCE}.in-own"}) == []
    assert len(service.past) == begun
    assert {run.outcome for run in service.past} <= {"killed"}
