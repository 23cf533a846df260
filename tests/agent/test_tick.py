"""One tick on the real thing: a signed commit becomes containers; everything else leaves them alone."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from gitops.agent.pause import pause, resume
from gitops.agent.settings import Settings
from gitops.agent.tick import accept, rest, tick
from gitops.agent.ticked import Tick, last
from gitops.deploy.host import Wanted
from gitops.engine.specification import NetworkSpec
from gitops.fleet.load import load
from gitops.images.locks import read_locks
from gitops.jobs.definition import Definition
from gitops.jobs.running import notes
from gitops.render.render import render, write
from gitops.report.history import runs
from gitops.report.turns import turns
from gitops.system.errors import UserError
from gitops.system.locks import exclusive
from tests.agent.conftest import FleetOnDisk
from tests.agent.server import Person, Server, agent_settings, person
from tests.database_fixtures import until

UNUSED_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
GITOPS = Path(sys.executable).parent / "gitops"


_RUNNER = """
from pathlib import PosixPath
from gitops.jobs.definition import Definition
from gitops.jobs.run import run_job
from gitops.system.places import Places
"""


@dataclass(frozen=True)
class Followed:
    """A fleet that a host follows, and Ada, whom the host trusts."""

    fleet: FleetOnDisk
    server: Server
    ada: Person
    settings: Settings

    def push(self, signing: tuple[str, ...] | None = None, **greetings: str) -> str:
        """Commit the fleet, with an instance for each greeting, rendered; signed by Ada by default."""
        if greetings:
            lines = [
                f"  {name}: {{app: blog, parameters: {{greeting: {word}}}}}\n"
                for name, word in greetings.items()
            ]
            self.fleet.write("hosts/web1.yaml", "instances:\n" + "".join(lines))
        definitions = load(self.fleet.root)
        write(self.fleet.root, render(definitions, read_locks(definitions)))
        return self.server.commit(self.ada.signing if signing is None else signing)

    def tick(self) -> tuple[Tick, list[str]]:
        """Tick, with the tiny image for each that is to be built."""
        told: list[str] = []

        def build(wanted: Wanted, images: Sequence[str]) -> None:
            for image in images:
                self.fleet.import_image(wanted.references[image, "amd64"])

        fleet = self.fleet
        done = tick(self.settings, fleet.places, fleet.engine, build=build, tell=told.append)
        return done, told

    def rest(self) -> Tick | None:
        return rest(self.settings, self.fleet.places, self.fleet.engine)


@pytest.fixture
def followed(fleet: FleetOnDisk, tmp_path: Path) -> Followed:
    ada = person(tmp_path, "ada")
    fleet.places.config.mkdir(parents=True)
    (fleet.places.config / "signers").write_text(ada.line)
    text = f"host: web1\nremotes: [{fleet.root}]\ntrust: {{signers: signers}}\n"
    made = Followed(fleet, Server(fleet.root), ada, agent_settings(fleet.places, text))
    made.push(alice="hello")
    return made


def test_a_signed_commit_becomes_containers_and_the_next_tick_is_one_look(followed: Followed) -> None:
    done, told = followed.tick()
    assert (done.state, done.good) == ("applied", True)
    assert "signed by ada@example.org with ED25519 key" in told[0]
    assert set(followed.fleet.running()) == {"alice/db", "alice/web"}
    followed.tick()
    resting = followed.rest()
    assert resting
    assert (resting.state, resting.commit) == ("nothing to do", done.commit)
    seen = last(followed.fleet.places)
    assert seen
    assert seen.time
    assert seen.commit == done.commit


def test_a_tick_removes_what_a_drill_that_was_killed_has_left(followed: Followed) -> None:
    followed.tick()
    followed.tick()
    fleet = followed.fleet
    spec = NetworkSpec(f"{fleet.name}.drill.alice.default", "alice", "default")
    fleet.engine.ensure_network(spec, f"{fleet.name}.drill", "web1")
    (fleet.places.state / "throw-away").write_text(f'{{"fleet": "{fleet.name}.drill", "host": "web1"}}')
    assert followed.rest() is None
    _, told = followed.tick()
    assert "removed a throw-away instance, whose drill has died" in told
    assert fleet.engine.networks(f"{fleet.name}.drill", "web1") == {}
    assert followed.rest() is None  # what the dead asked for may come late
    long_ago = time.time() - 61
    os.utime(fleet.places.state / "throw-away", (long_ago, long_ago))
    followed.tick()
    assert followed.rest()


def test_a_report_that_no_server_took_is_sent_by_the_next_tick(followed: Followed) -> None:
    fleet, hook = followed.fleet, followed.fleet.root / ".git/hooks/pre-receive"
    fleet.write("hosts/web1.yaml", f'report: {{key: "{UNUSED_KEY}"}}\ninstances: {{alice: {{app: blog}}}}\n')
    followed.push()
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    _, told = followed.tick()
    assert any(line.startswith("not reported: ") for line in told)
    hook.unlink()
    assert followed.rest() is None
    _, told = followed.tick()
    assert "reported to gitops/reports/web1" in told
    assert followed.rest()


def test_a_tick_ends_a_job_whose_runner_was_killed(followed: Followed) -> None:
    followed.tick()
    followed.tick()
    places = followed.fleet.places
    job = Definition(
        followed.fleet.name, "web1", "alice", "tick", service="web", command=("sh", "-c", "sleep 7792; :")
    )
    with subprocess.Popen([sys.executable, "-c", f"{_RUNNER}run_job({job!r}, {places!r})"]) as runner:
        until(lambda: any(one.command for one, _ in notes(places)))
        assert followed.rest()
        runner.kill()
    assert followed.rest() is None
    _, told = followed.tick()
    assert "ended the job alice/tick, whose runner was killed" in told
    assert [run.outcome for run in runs(places, kind="job")] == ["killed"]
    assert followed.rest()


def test_what_moves_in_git_or_on_the_host_ends_the_rest(followed: Followed) -> None:
    followed.tick()
    followed.tick()
    followed.fleet.engine.stop(f"{followed.fleet.name}.alice.web")
    assert followed.rest() is None
    followed.tick()
    followed.tick()
    assert followed.rest()
    followed.push(alice="hi")
    assert followed.rest() is None


def test_an_unsigned_commit_is_refused_and_drift_is_healed_all_the_same(followed: Followed) -> None:
    good, _ = followed.tick()
    before = followed.fleet.running()
    bad = followed.push((), alice="bad")
    followed.fleet.engine.stop(f"{followed.fleet.name}.alice.db")
    done, told = followed.tick()
    assert not done.good
    assert (done.commit, done.state) == (good.commit, "applied")
    assert f"refused: commit {bad[:12]} is not signed" in told[0]
    assert followed.fleet.running() == before
    followed.tick()
    resting = followed.rest()
    assert resting
    assert bad[:12] in str(resting)
    assert ("fetch", bad, "refused") in [
        (one.kind, one.commit, one.outcome) for one in turns(followed.fleet.places)
    ]


def test_a_force_push_is_refused_until_a_person_accepts_it(followed: Followed) -> None:
    followed.tick()
    before = followed.fleet.running()
    followed.server.git("checkout", "--quiet", "--orphan", "new")
    rewritten = followed.push(alice="rewritten")
    followed.server.git("branch", "--force", "main", rewritten)
    done, told = followed.tick()
    assert not done.good
    assert "does not stand on" in told[0]
    assert followed.fleet.running() == before
    with pytest.raises(UserError, match="whole name"):
        accept("refs/gitops/seen", followed.settings, followed.fleet.places)
    accept(rewritten, followed.settings, followed.fleet.places)
    done, _ = followed.tick()
    assert (done.commit, done.good) == (rewritten, True)
    assert followed.fleet.running()["alice/web"] != before["alice/web"]


def test_what_fails_the_check_is_refused_whole_and_the_mended_commit_is_taken(followed: Followed) -> None:
    good, _ = followed.tick()
    faults = {
        "apps/blog.yaml": ("services: {web: {image: nothing}}\n", "nothing"),
        "locks/tiny.amd64.lock": (None, "is missing"),
        "rendered/images/tiny.amd64.Dockerfile": ("FROM elsewhere\n", "gitops render"),
        "hosts/web1.yaml": (None, "no host web1"),
    }
    for path, (text, reason) in faults.items():
        file = followed.fleet.root / path
        kept = file.read_text()
        if text is None:
            file.unlink()
        else:
            file.write_text(text)
        bad = followed.server.commit(followed.ada.signing)
        done, _ = followed.tick()
        assert (done.commit, done.good) == (good.commit, False)
        assert f"refused: commit {bad[:12]} fails check" in done.notes[0]
        assert reason in done.notes[0]
        assert not (followed.fleet.places.state / "generations" / bad).exists()
        file.write_text(kept)
    mended = followed.push(alice="mended")
    done, _ = followed.tick()
    assert (done.commit, done.good) == (mended, True)


def test_a_paused_agent_changes_nothing_until_it_is_resumed_or_its_time_is_over(followed: Followed) -> None:
    followed.tick()
    before = followed.fleet.running()
    followed.push(alice="later")
    pause(followed.fleet.places, None)
    done, _ = followed.tick()
    assert done.state == "paused"
    resting = followed.rest()
    assert resting
    assert "gitops agent resume" in str(resting)
    assert followed.fleet.running() == before
    assert resume(followed.fleet.places)
    assert not resume(followed.fleet.places)
    pause(followed.fleet.places, 0)
    assert followed.tick()[0].state == "applied"


def test_two_ticks_cannot_run_at_once(followed: Followed) -> None:
    with (
        exclusive(followed.fleet.places.runtime / "tick.lock", "x"),
        pytest.raises(UserError, match="in use"),
    ):
        followed.tick()


def test_a_first_commit_that_is_refused_leaves_the_host_without_one_and_says_so(followed: Followed) -> None:
    followed.push((), alice="x")
    with pytest.raises(UserError, match="no commit yet") as raised:
        followed.tick()
    assert "is not signed" in str(raised.value)


def test_losing_the_repository_still_lets_nobody_move_the_host_back(followed: Followed) -> None:
    first, _ = followed.tick()
    second = followed.push(alice="second")
    followed.tick()
    shutil.rmtree(followed.fleet.places.state / "repository.git")
    followed.server.git("reset", "--quiet", "--hard", first.commit)
    done, told = followed.tick()
    assert done.commit == second
    assert "does not stand on" in told[0]
    followed.server.git("reset", "--quiet", "--hard", second)
    assert followed.tick()[0].good


def test_a_generation_that_a_power_cut_left_half_written_is_written_again(followed: Followed) -> None:
    followed.tick()
    commit = followed.push(alice="second")
    half = followed.fleet.places.state / "generations" / commit
    half.mkdir()
    (half / "fleet.yaml").write_text("")
    done, _ = followed.tick()
    assert (done.commit, done.state) == (commit, "applied")


def test_the_fleet_may_lie_in_a_directory_of_the_repository(followed: Followed) -> None:
    root = followed.fleet.root
    followed.server.git("rm", "-r", "--quiet", "--cached", ".")
    (root / "deploy").mkdir()
    for name in ("fleet.yaml", "images", "apps", "hosts", "locks", "rendered"):
        (root / name).rename(root / "deploy" / name)
    commit = followed.server.commit(followed.ada.signing)
    with pytest.raises(UserError, match=r"fleet\.yaml"):
        followed.tick()
    text = f"host: web1\npath: deploy\nremotes: [{root}]\ntrust: {{signers: signers}}\n"
    moved = Followed(
        followed.fleet, followed.server, followed.ada, agent_settings(followed.fleet.places, text)
    )
    assert moved.tick()[0].commit == commit


def test_the_verbs_tick_wake_pause_and_say_what_is_missing(followed: Followed) -> None:
    def gitops(*args: str, status: int = 0) -> str:
        done = subprocess.run([GITOPS, "agent", *args], capture_output=True, text=True, check=False)
        assert done.returncode == status, (done.stdout, done.stderr)
        return done.stdout + done.stderr

    followed.tick()
    assert "nothing to do" in gitops("once")
    followed.push((), alice="bad")
    assert "is not signed" in gitops("once", status=1)
    assert "paused until 2" in gitops("pause", "--for", "2h")
    assert "paused until 2" in gitops("once")
    assert "resumed" in gitops("resume")
    assert "is not a duration" in gitops("pause", "--for", "soon", status=1)
    assert "systemctl start gitops-agent" in gitops("wake", status=1)
    (followed.fleet.places.config / "agent.yaml").unlink()
    assert "gitops agent install" in gitops("once", status=1)
    assert json.loads((followed.fleet.places.runtime / "tick.json").read_text())["state"]
