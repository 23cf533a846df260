"""Restores that die at any instant: whoever comes next finds the old or makes it the new; never a mixture."""

import logging
import os
import random
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator

import pytest

from gitops.backup.asked import asked
from gitops.backup.cut_short import any_cut_short
from gitops.backup.databases.kind import scratch_name
from gitops.backup.resume import resume_all
from gitops.backup.run import back_up
from gitops.backup.vault import open_vault
from gitops.engine.held import engine_lock, free
from gitops.report.history import runs
from gitops.system.locks import exclusive
from tests.database_fixtures import DATABASE, HOST, INSTANCE, Site
from tests.engine_fixtures import at_rest

KILLS = int(os.environ.get("RESTORE_KILLS", "4"))
"""How many restores are killed at random; 50 were, when this was written."""

_MANY = 20
"""Kills that hit every phase of a restore."""

log = logging.getLogger(__name__)

_OLD, _NEW = ("2\n", b"old\n"), ("1\n", b"new\n")

_DYING = """
    import os, signal, sys
    from gitops.backup import changeover
    from gitops.backup.databases import mariadb
    from gitops.cli.main import main
    from gitops.system.errors import UserError

    def die(*_):
        os.kill(os.getpid(), signal.SIGKILL)

    def refuse(*_):
        raise UserError("the file system refuses")

    {what}
    sys.argv = ["gitops", "backup", "restore", "alice", "--without-safety", "--fleet", sys.argv[1]]
    main()
"""


@pytest.fixture
def spoilt(site: Site) -> Site:
    """An instance with a backup, and with something else in its place."""
    site.sql("CREATE TABLE aa (n INT); CREATE TABLE t (n INT); INSERT INTO t VALUES (1);")
    _put(site, "new")
    with open_vault(site.fleet, HOST, site.places) as vault:
        back_up(vault, site.engine, [asked(site.instance)], site.places)
    _spoil(site)
    return site


def _put(site: Site, word: str) -> None:
    site.execute("web", "sh", "-c", "mkdir -p /srv/uploads/a; echo $1 >/srv/uploads/a/b", "-", word)


def _spoil(site: Site) -> None:
    site.sql("UPDATE t SET n = 2;")
    _put(site, "old")


def _content(site: Site) -> tuple[str, bytes]:
    return site.sql("SELECT n FROM t"), (site.uploads / "a/b").read_bytes()


def _tick(site: Site) -> list[str]:
    """Do what the agent does before it looks at anything else; give what it tells."""
    told: list[str] = []
    resume_all(site.engine, site.places, lambda: open_vault(site.fleet, HOST, site.places), told.append)
    with exclusive(engine_lock(site.places), "the engine"):
        free(site.engine, site.places)
    return told


def _wrong(site: Site) -> list[str]:
    """List what does not run, and what is left of a restore."""
    left = [
        *(line for line in site.sql("SHOW DATABASES", "mysql").split() if "gitops" in line),
        *(path.name for path in site.uploads.parent.iterdir() if path.name != "_data"),
        *(str(path) for path in (site.places.state / "restore").glob("*")),
        *(str(path) for path in (site.places.runtime / "held").glob("*")),
    ]
    states = [f"{one.name} {one.status}" for one in site.engine.containers(site.name, HOST)]
    return left + [one for one in states if " Up " not in one]


def _restoring(site: Site, what: str) -> subprocess.CompletedProcess[str]:
    """Restore in a process of its own, with something wrong in it."""
    program = textwrap.dedent(_DYING).format(what=what)
    return subprocess.run(
        [sys.executable, "-c", program, site.root], capture_output=True, text=True, check=False, timeout=120
    )


def _lines(process: subprocess.Popen[bytes]) -> Iterator[str]:
    assert process.stdout
    for line in process.stdout:
        yield line.decode()


def test_a_restore_killed_at_any_instant_leaves_the_old_or_is_brought_to_the_new(spoilt: Site) -> None:
    began = time.monotonic()
    with spoilt.gitops("backup", "restore", INSTANCE, "--without-safety") as process:
        for line in _lines(process):
            if "changing over" in line:
                prepared = time.monotonic() - began
    whole = time.monotonic() - began
    assert _content(spoilt) == _NEW

    dice = random.Random(KILLS)  # noqa: S311
    outcomes: set[str] = set()
    for number in range(KILLS):
        _spoil(spoilt)
        safety = ["--without-safety"] if number % 4 else []
        with spoilt.gitops("backup", "restore", INSTANCE, *safety) as process:
            if number % 2:  # every other one is killed while things change
                for line in _lines(process):
                    if "changing over" in line:
                        break
                time.sleep(dice.uniform(0, whole - prepared))
            else:
                time.sleep(dice.uniform(0, whole))
            process.send_signal(signal.SIGKILL)
        at_rest(lambda: spoilt.engine.containers(spoilt.name, HOST))
        told = _tick(spoilt)
        assert _content(spoilt) in {_OLD, _NEW}, (number, told)
        assert not _wrong(spoilt), (number, told, _wrong(spoilt))
        log.info("kill %d left the %s: %s", number, "new" if _content(spoilt) == _NEW else "old", told)
        outcomes |= {word for line in told for word in ("undone", "finished") if word in line}
    assert KILLS < _MANY or outcomes == {"undone", "finished"}


def test_what_dies_between_a_database_and_a_volume_is_finished_by_the_agent(spoilt: Site) -> None:
    assert _restoring(spoilt, "changeover.exchange = die").returncode == -signal.SIGKILL
    assert _content(spoilt) == ("1\n", b"old\n")
    assert spoilt.engine.running(spoilt.name, HOST, INSTANCE, "web") is None, "it could see a mixture"
    assert any_cut_short(spoilt.places)
    with open_vault(spoilt.fleet, HOST, spoilt.places) as vault:
        (made,) = back_up(vault, spoilt.engine, [asked(spoilt.instance)], spoilt.places)
        assert not made.complete, "a mixture became a backup"
        assert {why for _, why in made.failed} == {
            "its restore was cut short; gitops apply brings that to its end"
        }

    (told,) = _tick(spoilt)
    assert told.startswith("alice: a restore that was cut short is finished; it is what ")
    assert _content(spoilt) == _NEW
    assert _wrong(spoilt) == []
    assert [(one.kind, one.status) for one in runs(spoilt.places, kind="restore")] == [("restore", 0)]


def test_a_database_that_a_dying_server_has_moved_in_part_is_loaded_again(spoilt: Site) -> None:
    assert _restoring(spoilt, "mariadb.swap = die").returncode == -signal.SIGKILL
    assert _content(spoilt) == _OLD
    scratch = scratch_name(DATABASE)
    spoilt.sql(f"DROP DATABASE `{DATABASE}`; CREATE DATABASE `{DATABASE}`;", "mysql")
    spoilt.sql(f"RENAME TABLE `{scratch}`.aa TO `{DATABASE}`.aa;", "mysql")

    (told,) = _tick(spoilt)
    assert "is finished" in told
    assert _content(spoilt) == _NEW
    assert spoilt.sql("SHOW TABLES").split() == ["aa", "t"]
    assert _wrong(spoilt) == []


def test_what_was_changed_and_not_cleared_away_is_cleared_away(spoilt: Site) -> None:
    dying = "from gitops.backup import restore; restore.end = die"
    assert _restoring(spoilt, dying).returncode == -signal.SIGKILL
    assert _wrong(spoilt)
    assert len(_tick(spoilt)) == 1
    assert _content(spoilt) == _NEW
    assert _wrong(spoilt) == []


def test_ctrl_c_in_the_middle_of_the_change_over_waits_for_its_end(spoilt: Site) -> None:
    interrupting = (
        "exchange = changeover.exchange; changeover.exchange ="
        " lambda one, other: (os.kill(os.getpid(), signal.SIGINT), exchange(one, other))"
    )
    interrupted = _restoring(spoilt, interrupting)
    assert (interrupted.returncode, interrupted.stderr) == (
        130,
        "interrupted; run it again to carry on\n",
    )
    assert interrupted.stdout.endswith("alice is restored\n")
    assert _content(spoilt) == _NEW
    assert _wrong(spoilt) == []


def test_a_restore_that_somebody_else_is_at_is_left_to_them(spoilt: Site) -> None:
    with spoilt.gitops("backup", "restore", INSTANCE, "--without-safety") as process:
        next(_lines(process))
        assert not any_cut_short(spoilt.places)
        assert _tick(spoilt) == []
        process.communicate()
    assert process.returncode == 0
    assert _content(spoilt) == _NEW


def test_a_change_over_that_is_refused_is_told_as_what_it_is_and_can_be_done_again(spoilt: Site) -> None:
    refused = _restoring(spoilt, "changeover.exchange = refuse")
    assert refused.returncode == 1
    assert "the file system refuses\nalice is restored in part\n" in refused.stderr
    assert _wrong(spoilt) == []
    assert _tick(spoilt) == []
    assert _restoring(spoilt, "").returncode == 0
    assert _content(spoilt) == _NEW
