"""Looking into an instance: what its containers wrote, and commands in them, whatever these say."""

import contextlib
import json
import os
import pty
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.agent.conftest import APP, LOOP, FleetOnDisk
from tests.database_fixtures import until

GITOPS = str(Path(sys.executable).with_name("gitops"))
_SAID = r"printf 'one\ntwo\n\033]0;evil\007three\n'; echo four >&2; "


@pytest.fixture
def site(fleet: FleetOnDisk) -> FleetOnDisk:
    """Two instances that run, of which the web service has said something."""
    head, mark, tail = APP.partition("  web:\n")
    fleet.write(
        "apps/blog.yaml",
        head + mark + tail.replace(repr(LOOP), json.dumps(_SAID + LOOP)),
    )
    fleet.commit()
    fleet.apply()
    return fleet


def _run(*args: str, stdin: bytes = b"", status: int = 0) -> bytes:
    done = subprocess.run([GITOPS, *args], input=stdin, capture_output=True, check=False)
    assert done.returncode == status, (done.stdout, done.stderr)
    return done.stdout if status == 0 else done.stdout + done.stderr


def _on_a_terminal(*args: str) -> tuple[bytes, int]:
    """Run a verb on a terminal; give what it showed, and its exit status."""
    here, there = pty.openpty()
    with subprocess.Popen([GITOPS, *args], stdin=there, stdout=there, stderr=there) as process:
        os.close(there)
        shown = b""
        with contextlib.suppress(OSError):  # nobody has the other side any more
            while piece := os.read(here, 4096):
                shown += piece
        os.close(here)
    return shown, process.returncode


@pytest.mark.usefixtures("site")
def test_what_containers_wrote_is_there_and_a_terminal_only_shows_it() -> None:
    raw = b"one\ntwo\n\x1b]0;evil\x07three\n"
    until(lambda: b"four" in _run("log", "alice", "web"))
    said = _run("log", "alice", "web")
    assert said.replace(b"four\n", b"") == raw
    assert sorted(_run("log", "alice").splitlines()) == sorted(b"web | " + line for line in said.splitlines())
    assert len(_run("log", "alice", "web", "--tail", "2").splitlines()) == 2
    assert _run("log", "alice", "web", "--since", "2100-01-01T00:00") == b""
    assert _run("log", "alice", "web", "--since", "1h") == said
    stamps = [line.split(b" ")[0] for line in _run("log", "alice", "web", "-t").splitlines()]
    assert all(datetime.fromisoformat(each.decode()[:19]).replace(tzinfo=UTC) for each in stamps)
    shown, _ = _on_a_terminal("log", "alice", "web")
    assert b"\x1b]0" not in shown
    assert b"\r\nthree\r\n" in shown


@pytest.mark.usefixtures("site")
def test_a_log_is_followed_until_somebody_has_enough() -> None:
    command = [GITOPS, "log", "alice", "--follow", "--tail", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as follower:
        assert follower.stdout
        assert follower.stderr
        os.set_blocking(follower.stdout.fileno(), False)
        seen = b""

        def comes() -> bool:
            nonlocal seen
            _run("exec", "alice", "web", "--", "sh", "-c", "echo later >/proc/1/fd/1")
            seen += follower.stdout.read() or b"" if follower.stdout else b""
            return b"web | later\n" in seen

        until(comes)
        follower.send_signal(signal.SIGINT)
        assert follower.wait() == 130
        assert follower.stderr.read() == b""
    with subprocess.Popen(
        [GITOPS, "log", "alice", "web"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as reader:
        assert reader.stdout
        assert reader.stderr
        reader.stdout.close()
        assert reader.stderr.read() == b""


@pytest.mark.usefixtures("site")
def test_a_command_has_its_input_its_words_as_they_are_and_its_exit_status() -> None:
    assert _run("exec", "alice", "web", "--", "cat", stdin=b"\x00in\xff") == b"\x00in\xff"
    assert (
        _run("exec", "alice", "web", "--", "echo", "$HOME", "a b", "--", "--user") == b"$HOME a b -- --user\n"
    )
    assert _run("exec", "--user", "33:33", "alice", "db", "--", "id", "-u") == b"33\n"
    _run("exec", "alice", "web", "--", "sh", "-c", "exit 7", status=7)
    _run("exec", "alice", "web", "--", "sh", "-c", "test -t 1", status=1)
    both = "test -t 0 && test -t 1 && exit 9"
    assert _on_a_terminal("exec", "alice", "web", "--", "sh", "-c", both)[1] == 9


def test_who_is_meant_must_be_clear(site: FleetOnDisk) -> None:
    assert b"no container of instance alcie on web1\n  did you mean alice?" in _run("log", "alcie", status=1)
    assert b"no container of service wbe in alice" in _run("exec", "alice", "wbe", "--", "id", status=1)
    assert b"alice has several services\n  name one: db, web" in _run("exec", "alice", "--", "id", status=1)
    assert b"options stand before the instance" in _run("exec", "alice", "web", "id", status=2)
    assert b"is no time" in _run("log", "alice", "--since", "yesterday", status=2)
    site.engine.stop(f"{site.name}.alice.web")
    assert b"alice/web is exited\n  gitops log alice web" in _run(
        "exec", "alice", "web", "--", "id", status=1
    )
    assert b"one" in _run("log", "alice", "web")
