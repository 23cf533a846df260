"""`gitops status` of a host that is well does not read definitions that it knows, and says the same."""

import json
import re
import sys
from datetime import timedelta

import pytest

from gitops.report.history import Run, record
from gitops.system.clock import now, stamp
from gitops.system.run import Result, run
from gitops.view.glance import glance
from gitops.view.look import look
from gitops.view.view import View
from tests.agent.conftest import APP, FleetOnDisk
from tests.database_fixtures import until

_LOADED = ("pydantic", "jinja2", "ruamel", "typer", "docker", "gitops.fleet.load")


def _glance(fleet: FleetOnDisk) -> View | None:
    return glance(fleet.root, "web1", fleet.places, now())


def _look(fleet: FleetOnDisk) -> View:
    return look(fleet.root, "web1", fleet.engine, fleet.places, use=False)


def _kept(fleet: FleetOnDisk) -> bool:
    """Look, until the newest container has run for long enough to be called well."""
    _look(fleet)
    return _glance(fleet) is not None


def _status(fleet: FleetOnDisk, *options: str) -> Result:
    return run([sys.executable, *options, "-m", "gitops", "status"], cwd=fleet.root, check=False)


def _timeless(text: str) -> str:
    """Leave out what another second changes."""
    text = re.sub(r"\bat=datetime[^)]*\)", "", text)
    return re.sub(r" +", " ", re.sub(r"Up (?:Less than|About)?(?: ?an?| ?\d+) \w+", "Up", text))


@pytest.fixture
def known(fleet: FleetOnDisk) -> FleetOnDisk:
    """A host that is well, with backups and an update that waits."""
    fleet.write("apps/blog.yaml", APP + "    cpus: 0.5\nbackup: {volumes: [data], drill: '@monthly'}\n")
    placed = "{alice: {app: blog, parameters: {greeting: hi}}, bob: {app: blog}}"
    fleet.write("hosts/web1.yaml", f"backup: {{repository: /srv/restic}}\ninstances: {placed}\n")
    fleet.commit()
    fleet.apply()
    begun = now() - timedelta(hours=5)
    for kind in ("backup", "drill"):
        record(fleet.places, Run(kind, "alice", "", begun, begun, 0))
    waits = {
        **dict.fromkeys(("group", "source", "suite", "urgency"), "x"),
        "security": True,
        "package": "tini",
        "old": "",
        "new": "2",
        "cves": [],
        "images": ["tiny"],
        "since": stamp(begun),
    }
    found = {"version": 1, "looked": stamp(begun), "base": "c0ffee", "waiting": [waits]}
    (fleet.places.state / "updates.json").write_text(json.dumps(found))
    until(lambda: _kept(fleet))
    return fleet


def test_a_glance_shows_what_a_look_shows_and_loads_next_to_nothing(known: FleetOnDisk) -> None:
    (known.places.cache / "status.json").unlink()
    long = _status(known)
    short = _status(known, "-X", "importtime")
    loaded = {line.rpartition("|")[2].strip() for line in short.stderr.splitlines()}
    assert "gitops.view.glance" in loaded
    assert not loaded.intersection(_LOADED)
    assert "bob has no backup that this host knows of" in long.stdout
    assert "1 update waits, 1 for security" in long.stdout
    assert (short.status, _timeless(short.stdout)) == (long.status, _timeless(long.stdout))


def test_a_glance_sees_all_that_a_look_sees(known: FleetOnDisk) -> None:
    known.write("hosts/web2.yaml", "report: {branch: reports}\ninstances: {}\n")
    known.write("hosts/web3.yaml", "instances: {}\n")
    assert _glance(known) is None  # files came
    seen = _look(known)
    assert [one.name for one in seen.others] == ["web2", "web3"]
    assert seen.instances[0].images == ("tiny",)
    assert seen.images[0].waiting
    assert _timeless(repr(_glance(known))) == _timeless(repr(seen))


def test_whatever_does_not_fit_is_looked_at_closely(known: FleetOnDisk) -> None:
    kept = known.places.cache / "status.json"
    good = kept.read_text()
    for broken in ("{", "[]", '{"of": 1}', good.replace('"containers"', '"others"'), good[:-40]):
        kept.write_text(broken)
        assert _glance(known) is None
    kept.write_text(good)
    assert _glance(known)

    assert glance(known.root, None, known.places, now()) is None  # it may mean another host
    known.engine.stop(f"{known.name}.bob.web")
    assert _glance(known) is None
    assert "exited" in _status(known).stdout
    known.engine.start(f"{known.name}.bob.web")
    until(lambda: _glance(known) is not None)

    known.write("apps/blog.yaml", APP + "    labels: {new: 'yes'}\n")
    assert _glance(known) is None
    assert "recreate" in _status(known).stdout
    assert _glance(known) is None  # a host with something to do is not remembered
