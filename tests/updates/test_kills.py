"""The bot killed at any point and run again ends where one that was never killed does."""

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from tests.archive import SigningKey
from tests.updates.world import World, world

KILLS = 25
SEED = 1


@pytest.fixture
def stage(archive_key: SigningKey) -> Iterator[World]:
    """Publish something new in each group, a change of library among it.

    The forge is one that lets the bot write as fast as it can: every moment of a run is one of work.
    """
    with world("forgejo", "image", archive_key) as made:
        for source in ("openssl", "base-files"):
            made.release(source)
        made.rename()
        yield made


def start(stage: World) -> subprocess.Popen[bytes]:
    """Start the bot, as cron would."""
    places = {f"GITOPS_{name.upper()}": str(place) for name, place in stage.places._asdict().items()}
    return subprocess.Popen(
        [sys.executable, "-m", "gitops", "update", "--pull-request"],
        cwd=stage.root,
        env={**os.environ, **places, "GITOPS_FORGE_TOKEN": stage.forge.token},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def finish(stage: World) -> None:
    """Let the bot run to its end."""
    process = start(stage)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors.decode()


def state(stage: World) -> object:
    """Give what people see: pull requests, and what their branches hold on top of what."""
    git = stage.forge.project.git
    return (
        sorted((pull.branch, pull.state, pull.title, pull.body) for pull in stage.forge.pulls),
        git("for-each-ref", "--format=%(refname) %(tree) %(parent) %(subject)"),
    )


def clear(stage: World) -> None:
    """Take everything back that the bot has done."""
    stage.forge.project.pulls.clear()
    for branch in stage.forge.project.git("for-each-ref", "--format=%(refname)").splitlines():
        if branch != "refs/heads/main":
            stage.forge.project.git("update-ref", "-d", branch)


def test_a_bot_that_is_killed_and_run_again_ends_where_one_does_that_was_not(stage: World) -> None:
    finish(stage)
    wanted = state(stage)
    assert len(stage.forge.pulls) > 1
    clear(stage)
    begun = time.monotonic()
    finish(stage)
    lasts = time.monotonic() - begun
    assert state(stage) == wanted
    chance = random.Random(SEED)  # noqa: S311  # it picks moments, not keys
    died = 0
    for _ in range(KILLS):
        clear(stage)
        process = start(stage)
        time.sleep(chance.uniform(0, lasts))
        process.kill()
        process.communicate()
        died += process.returncode != 0
        finish(stage)
        assert state(stage) == wanted
    assert died > KILLS // 2
