"""What definitions ask of backups is remembered while they are as they were, and not an instant longer."""

import os
from pathlib import Path

import pytest

from gitops.backup.asked import AskedHost, asked_host
from gitops.backup.remembered import recall, remember
from gitops.cli.backing_up import back_up
from gitops.cli.plainly import plainly
from gitops.fleet.load import load
from gitops.fleet.unchanged import state_of
from gitops.system.errors import UserError
from gitops.system.places import Places

_APP = """\
services:
  web: {image: server, volumes: ["uploads:/srv/uploads", "cache:/srv/cache"], depends_on: [db]}
  db: {image: server, volumes: ["data:/var/lib/mysql"], secrets: [root]}
backup:
  timeout: 10m
  databases:
    - {service: db, kind: mariadb, all: true, user: keeper, password: root}
  volumes: [uploads, {name: cache, method: pause}]
"""
_FILES = {
    "fleet.yaml": "name: shops\narchives: {here: {mirror: 'http://example.org', suites: [stable]}}\n",
    "images/server.yaml": "from: scratch\narchive: here\n",
    "apps/shop.yaml": _APP,
    "apps/page.yaml": "services: {web: {image: server}}\nbackup: {}\n",
    "hosts/web1.yaml": "backup: {repository: 'sftp:vault.example.org:/srv', environment: {KEY: cloud},"
    " limits: {upload: 5m, nice: 3}}\ninstances: {alice: {app: shop}, bob: {app: page}}\n",
    "secrets/root.age": "x",
    "secrets/cloud.age": "x",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, text in _FILES.items():
        file = tmp_path / "fleet" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return tmp_path / "fleet"


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(*(tmp_path / name for name in ("config", "state", "cache", "runtime", "cron")))


def _asked(root: Path) -> AskedHost:
    return asked_host(load(root), "web1")


def test_what_is_remembered_is_what_the_definitions_ask(root: Path, places: Places) -> None:
    asked, state = _asked(root), state_of(root, None, places)
    (alice,) = asked.instances
    assert alice.services == ("db", "web")
    assert alice.timeout == 600
    assert [one.password_file for one in alice.databases] == ["/run/secrets/root"]
    assert [(one.name, one.method, one.services) for one in alice.volumes] == [
        ("uploads", "live", ("web",)),
        ("cache", "pause", ("web",)),
    ]
    assert (asked.repository.environment, asked.repository.limits.nice) == ({"KEY": "cloud"}, 3)
    assert recall(state, places) is None
    remember(state, asked, places)
    assert recall(state, places) == asked


@pytest.mark.parametrize("file", ["fleet.yaml", "apps/shop.yaml", "hosts/web1.yaml", "secrets/root.age"])
def test_a_write_to_any_file_makes_the_definitions_be_read(root: Path, places: Places, file: str) -> None:
    remember(state_of(root, None, places), _asked(root), places)
    before = (root / file).stat()
    (root / file).write_text((root / file).read_text())
    os.utime(root / file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert recall(state_of(root, None, places), places) is None


def test_another_host_or_a_file_more_or_less_is_another_state(root: Path, places: Places) -> None:
    states = {state_of(root, None, places), state_of(root, "web1", places)}
    (root / "apps/more.yaml").write_text("services: {}\n")
    states.add(state_of(root, None, places))
    (root / "apps/page.yaml").unlink()
    states.add(state_of(root, None, places))
    assert len(states) == 4


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"of": "STATE", "asked": [1, 2]}', '{"of": "STATE"}'])
def test_a_file_that_holds_anything_else_is_not_believed(root: Path, places: Places, content: str) -> None:
    state = state_of(root, None, places)
    places.cache.mkdir()
    (places.cache / "backups.json").write_text(content.replace("STATE", state))
    assert recall(state, places) is None


def test_what_is_not_said_plainly_is_left_to_the_whole_program() -> None:
    for words in ([], ["alice", "--all"], ["--help"], ["alice", "-h"], ["--all", "--fleet"], ["--fleet=x"]):
        assert plainly(words) is None, words


def test_who_is_not_remembered_is_looked_for_in_the_definitions(
    root: Path, places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("config", "state", "cache", "runtime", "cron"):
        monkeypatch.setenv(f"GITOPS_{name.upper()}", str(getattr(places, name)))
    for name, words in (("alicia", "alice"), ("bob", "add backup: to apps/page.yaml")):
        with pytest.raises(UserError, match=words):
            back_up([name], root, None)
    assert recall(state_of(root, None, places), places) == _asked(root)
