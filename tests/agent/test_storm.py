"""Everything that can be killed is, at random moments; the next tick always makes the host what git says."""

import os
import random
import secrets
from collections.abc import Iterator
from itertools import chain, count, repeat
from pathlib import Path

import pytest

from gitops.agent.rollback import rolled_back
from tests.agent.storm import Host, host
from tests.own_engine import own_engine

_KINDS = ("deploy", "roll-out", "image", "limits", "sick", "back", "prune")
_FAULTS = (*repeat("", 7), "engine dies", "engine dies under way", "power", "full disk", "git hangs")


@pytest.fixture
def storm(tmp_path: Path, rootfs: bytes, monkeypatch: pytest.MonkeyPatch) -> Iterator[Host]:
    for variable in [name for name in os.environ if name.startswith("GITOPS_")]:
        monkeypatch.delenv(variable)
    monkeypatch.setenv("GITOPS_ROOT", str(tmp_path / "host"))
    with own_engine() as engine:
        monkeypatch.setenv("DOCKER_HOST", engine.address)
        with host(tmp_path, engine, rootfs) as made:
            yield made


def test_after_every_kill_and_fault_the_next_tick_makes_the_host_what_git_says(storm: Host) -> None:
    """So many kills as STORM_KILLS says, 8 by default; 200 of them take about half an hour.

    What happens in which order follows from STORM_SEED, which a failure names; the moments do as far as the
    machine runs as it did.
    """
    seed = os.environ.get("STORM_SEED") or secrets.token_hex(4)
    wanted = int(os.environ.get("STORM_KILLS") or 8)
    chance = random.Random(seed)  # noqa: S311  # it is to be repeated, not to be secret
    kinds, faults = (_shuffled(chance, among) for among in (_KINDS, _FAULTS))
    storm.instances = {"alice": "hello", "bob": "hello", "carol": "hello"}
    good = storm.push()
    storm.tick()
    storm.assert_is(storm.goals[good])
    kills, turn = 0, count(1)
    while kills < wanted:
        number, kind, fault = next(turn), next(kinds), next(faults)
        where = f"STORM_SEED={seed}: turn {number}, kill {kills + 1}, {kind}, {fault or 'no other fault'}"
        print(where, flush=True)  # noqa: T201  # shown when it fails
        try:
            goal, command = _change(storm, kind, number, chance)
            storm.remotes(hung=fault == "git hangs")
            struck = storm.strike(command, kind, chance, engine=fault == "engine dies under way")
            kills += struck
            _harm(storm, fault, struck=struck)
            status, told = storm.tick()
            where += f"\n{told}"
            if rolled := rolled_back(storm.fleet.places):
                goal = rolled.to
            storm.assert_is(storm.goals[good if storm.sick else goal])
            assert (status == 0) is not storm.sick
            assert storm.tick()[1].endswith("nothing to do\n") or storm.sick
        except BaseException as error:
            error.add_note(where)
            raise
        good = good if storm.sick else goal


def _change(storm: Host, kind: str, number: int, chance: random.Random) -> tuple[str, tuple[str, ...]]:
    """Change something in git; give the commit that is to run, and the command that does it."""
    if kind == "back" and storm.can_go_back():
        return storm.head, ("rollback",)
    # What a host went back from may differ in more than a sick version does: first it is to go on from there.
    storm.sick = kind == "sick" and rolled_back(storm.fleet.places) is None
    if kind == "deploy" or (kind == "prune" and len(storm.instances) < 2):
        storm.instances[f"new{number}"] = "hello"
    elif kind == "prune":
        del storm.instances[chance.choice(sorted(storm.instances))]
    elif kind == "image":
        storm.variable = str(number)
    elif kind == "limits":
        storm.memory = 64 + number
    else:
        storm.instances = dict.fromkeys(storm.instances, f"turn{number}")
    return storm.push(), ("agent", "once")


def _harm(storm: Host, fault: str, *, struck: bool) -> None:
    if fault == "engine dies":
        storm.engine.kill()
    if fault == "engine dies" or (fault == "engine dies under way" and struck):
        storm.engine.start()
    elif fault == "power":
        storm.reboot()
    elif fault == "full disk":
        with storm.full_disk():
            storm.tick()


def _shuffled(chance: random.Random, among: tuple[str, ...]) -> Iterator[str]:
    """Give all of them in a random order, again and again."""
    return chain.from_iterable(chance.sample(among, len(among)) for _ in count())
