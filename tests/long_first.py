"""Tests that take long begin first, dealt out to the workers, so that none is alone with one at the end."""

import os

import pytest

_LONG = (
    "jobs/test_real_cron.py",
    "test_tutorial.py",
    "test_readme.py",
    "deploy/test_rollout_kills.py",
    "agent/test_acceptance.py",
    "agent/test_storm.py",
    "agent/test_drill.py",
    "backup/test_repositories.py",
    "test_disaster.py",
    "updates/test_sequences.py",
    "updates/test_real_archive.py",
    "updates/test_kills.py",
    "backup/test_restore_kills.py",
    "pipelines/test_container.py",
    "pipelines/test_story.py",
    "backup/test_faults.py",
    "backup/test_month.py",
    "debian/test_real_archive.py",
    "agent/test_proposing.py",
    "testing/test_images.py",
)
"""Modules, the longest first; each stays with one worker, which makes once what its tests share."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put them where each worker begins: xdist gives them runs of equal length, and steals from the ends."""
    places = [config.rootpath / "tests" / name for name in _LONG]
    assert all(place.exists() for place in places), "a long module has another name now"
    long = [[item for item in items if item.path == place] for place in places]
    others = [item for item in items if item.path not in places]
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    ordered: list[pytest.Item] = []
    for worker in range(workers):
        ordered += (item for module in long[worker::workers] for item in module)
        until = len(items) * (worker + 1) // workers
        filling = max(0, until - len(ordered))
        ordered += others[:filling]
        del others[:filling]
    items[:] = ordered
